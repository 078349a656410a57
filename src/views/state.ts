import { type Cell, pairsText, tableText, timeText } from "./table.ts";

interface Report {
  readonly id: number;
  readonly lane: string;
  readonly kind: string;
  readonly state: string;
  readonly body_bytes: number;
  readonly attempts: number;
  readonly created_at_ms: number;
  readonly last_status: number | null;
  readonly last_error: string | null;
}

interface Status {
  readonly state: {
    readonly path: string;
    readonly bytes: number;
    readonly wal_bytes: number;
    readonly schema: number;
    readonly journal_mode: string;
    readonly open_by: { readonly pid: number; readonly alive: boolean } | null;
    readonly tasks: Readonly<Record<string, number>>;
    readonly outbox: { readonly queued: number; readonly inflight: number; readonly ambiguous: number; readonly dead: number; readonly results: number; readonly oldest_at: string | null };
    readonly kept: readonly string[];
  } | null;
  readonly index: { readonly path: string; readonly bytes: number; readonly homes: number; readonly threads: number; readonly roots: readonly { readonly status: string; readonly files: number }[] } | null;
  readonly last_check: { readonly at: string; readonly result: string } | null;
  readonly dead?: readonly Report[];
  readonly lane?: readonly Report[];
  readonly degraded: readonly string[];
}

/** `state status`: sizes, who holds the file, what waits; never a body. */
export function stateText(status: Status): string {
  const { state, index } = status;
  const pairs: (readonly [string, Cell])[] = [];
  if (state === null) pairs.push(["State", "none yet; the daemon makes it when it starts"]);
  else {
    const { outbox } = state;
    const waiting = outbox.queued + outbox.inflight + outbox.ambiguous;
    const since = outbox.oldest_at === null ? "" : ` since ${timeText(outbox.oldest_at, 16)}`;
    pairs.push(
      ["State", `${state.path} (${bytesText(state.bytes)}, log ${bytesText(state.wal_bytes)}, schema ${state.schema}, ${state.journal_mode})`],
      ["Held by", state.open_by === null ? "nobody" : `pid ${state.open_by.pid}${state.open_by.alive ? "" : " (dead)"}`],
      ["Tasks", Object.entries(state.tasks).map(([phase, count]) => `${count} ${phase}`).join(", ") || "none"],
      ["Waiting", waiting === 0 ? "nothing" : `${waiting} reports${since}, ${outbox.results} of them results`],
      ...(outbox.dead === 0 ? [] : ([["Given up", `${outbox.dead} reports (state status --dead)`]] as const)),
      ...state.kept.map((path) => ["Kept", path] as const),
      ...(status.last_check === null ? [] : ([["Checked", `${timeText(status.last_check.at, 16)}: ${status.last_check.result}`]] as const)),
    );
  }
  pairs.push(["Index", index === null ? "not there" : `${index.path} (${bytesText(index.bytes)}, ${index.threads} threads of ${index.homes} homes${unfinished(index.roots)})`]);
  const warnings = status.degraded.map((line) => `! ${line}\n`).join("");
  return pairsText(pairs) + warnings + reportTable(status.dead) + reportTable(status.lane);
}

/** How far a backfill is, whoever does it. */
function unfinished(roots: readonly { readonly status: string }[]): string {
  const open = roots.filter((root) => root.status !== "complete").length;
  return open === 0 ? "" : `; being filled, ${roots.length - open} of ${roots.length} directories done`;
}

function reportTable(reports: readonly Report[] | undefined): string {
  if (reports === undefined) return "";
  if (reports.length === 0) return "\nNo reports.\n";
  const rows = reports.map((one) => [one.id, one.lane, one.kind, one.state, one.body_bytes, one.attempts, timeText(new Date(one.created_at_ms).toISOString(), 16), one.last_status, one.last_error]);
  return `\n${tableText(["ID", "TASK", "KIND", "STATE", "BYTES", "ATTEMPTS", "SINCE", "STATUS", "ERROR"], rows)}`;
}

/** `state check`. */
export function checkText(result: { readonly state: Findings; readonly index: Findings | null; readonly actions: readonly string[] }): string {
  const lines = [...findingLines("state file", result.state), ...(result.index === null ? ["There is no index of sessions."] : findingLines("index of sessions", result.index))];
  return [...lines, ...result.actions].map((line) => `${line}\n`).join("");
}

interface Findings {
  readonly findings: readonly { readonly code: string; readonly detail: string }[];
}

function findingLines(what: string, { findings }: Findings): string[] {
  return findings.length === 0 ? [`The ${what} is sound.`] : findings.map((finding) => `${what}: ${finding.code}: ${finding.detail}`);
}

/** `state salvage`: what was saved of each table. */
export function salvageText(salvage: { readonly kept: string; readonly tables: Readonly<Record<string, { readonly saved: number; readonly lost: number }>> } | null): string {
  if (salvage === null) return "There is no state file.\n";
  const rows = Object.entries(salvage.tables).map(([table, { saved, lost }]) => [table, saved, lost]);
  return `The old file is kept as ${salvage.kept}.\n${tableText(["TABLE", "SAVED", "LOST"], rows)}`;
}

function bytesText(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  return bytes < 1024 * 1024 ? `${Math.round(bytes / 1024)} KiB` : `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}

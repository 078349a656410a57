import { readdirSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { EXIT, MulticaError, errorText } from "../lib/core/index.ts";
import { identityAlive, packageRoot, pathExists, systemClock, writeFileIfAbsent } from "../lib/platform/index.ts";
import { silentLogger } from "../lib/platform/logger.ts";
import type { IndexStatus, OpenStateOptions, OutboxSummary, ReportRow, Salvage, StateFacts, StateFinding, StateInspector } from "../lib/state/index.ts";
import { versionInfo } from "./version.ts";

/** Reports that have waited longer than this say that something is wrong. */
const LATE_MS = 10 * 60_000;

export interface StateStatus {
  readonly state:
    | (Omit<StateFacts, "holder" | "last_check"> & {
        readonly path: string;
        readonly bytes: number;
        readonly wal_bytes: number;
        readonly open_by: { readonly pid: number; readonly alive: boolean } | null;
        readonly outbox: Omit<OutboxSummary, "oldest_at_ms"> & { readonly oldest_at: string | null };
        /** Damaged files that were kept, and copies from before migrations. */
        readonly kept: readonly string[];
      })
    | null;
  readonly index: IndexStatus | null;
  readonly dead?: readonly ReportRow[];
  readonly lane?: readonly ReportRow[];
  /** What needs a look; empty when all is well. */
  readonly degraded: readonly string[];
}

/** What the two files of a profile hold, from the files themselves; nothing is made, migrated or written (state-db.md 19.3). */
export async function stateStatus(wish: { readonly stateDir: string; readonly dead: boolean; readonly lane?: string | undefined }): Promise<StateStatus> {
  const degraded: string[] = [];
  const index = await indexOf(wish.stateDir);
  const reader = await openReader(wish.stateDir);
  if (reader === null) return { state: null, index, degraded };
  try {
    const { holder, last_check: _check, ...facts } = reader.facts();
    const { oldest_at_ms: oldest, ...outbox } = reader.outboxSummary();
    if (oldest !== null && systemClock.now() - oldest > LATE_MS) degraded.push("reports have waited for the server for more than ten minutes");
    if (holder !== null && !identityAlive(holder)) degraded.push(`the daemon of pid ${holder.pid} ended without giving the state file back`);
    return {
      state: {
        path: reader.path,
        bytes: sizeOf(reader.path),
        wal_bytes: sizeOf(`${reader.path}-wal`),
        ...facts,
        open_by: holder === null ? null : { pid: holder.pid, alive: identityAlive(holder) },
        outbox: { ...outbox, oldest_at: oldest === null ? null : new Date(oldest).toISOString() },
        kept: keptFiles(reader.path),
      },
      index,
      ...(wish.dead ? { dead: reader.deadReports() } : {}),
      ...(wish.lane === undefined ? {} : { lane: reader.laneReports(wish.lane) }),
      degraded,
    };
  } finally {
    reader.close();
  }
}

export interface CheckResult {
  readonly state: { readonly ok: boolean; readonly findings: readonly StateFinding[] };
  readonly actions: readonly string[];
}

/** Reads the state file through and says what is wrong with it; `backup` also writes a copy (state-db.md 19.5). */
export async function checkStateFile(wish: { readonly stateDir: string; readonly full: boolean; readonly backup?: string | undefined }): Promise<CheckResult> {
  let reader: StateInspector | null = null;
  const actions: string[] = [];
  try {
    reader = await openReader(wish.stateDir);
    const findings = reader?.check(wish.full) ?? [];
    if (reader !== null && wish.backup !== undefined) {
      if (await pathExists(wish.backup)) throw new MulticaError("exists", `${wish.backup} is there already`, { exit: EXIT.conflict });
      // Made empty first: SQLite would create it readable for everybody.
      await writeFileIfAbsent(wish.backup, "", { mode: 0o600 });
      reader.backUp(wish.backup);
      actions.push(`copied to ${wish.backup}`);
    }
    return { state: { ok: findings.length === 0, findings }, actions };
  } catch (error) {
    if (!(error instanceof MulticaError) || (error.code !== "state_corrupt" && error.code !== "state_failed")) throw error;
    return { state: { ok: false, findings: [{ code: "damage", detail: errorText(error) }] }, actions };
  } finally {
    reader?.close();
  }
}

/** Makes a new state file of what can be read of the old one. Needs the daemon stopped (exit 7). Null when there is no file. */
export function salvageFile(wish: { readonly stateDir: string; readonly profile: string }): Promise<Salvage | null> {
  return alone(wish, async (options) => (await import("../lib/state/open.ts")).salvageState(options));
}

/** Gives unused space back. Needs the daemon stopped (exit 7). */
export function compactFile(wish: { readonly stateDir: string; readonly profile: string; readonly full: boolean }): Promise<void> {
  return alone(wish, async (options) => (await import("../lib/state/open.ts")).compactState(options, wish.full));
}

/** Works on the file while no daemon can. */
async function alone<T>(wish: { readonly stateDir: string; readonly profile: string }, work: (options: OpenStateOptions) => Promise<T>): Promise<T> {
  const { holdStateDir } = await import("../lib/daemon/single.ts");
  const lock = await holdStateDir(wish.stateDir, wish.profile);
  try {
    return await work({ stateDir: wish.stateDir, version: versionInfo(packageRoot()).version, clock: systemClock, logger: silentLogger });
  } finally {
    lock.release();
  }
}

async function openReader(stateDir: string): Promise<StateInspector | null> {
  const { openStateReader } = await import("../lib/state/open.ts");
  return openStateReader({ stateDir });
}

async function indexOf(stateDir: string): Promise<IndexStatus | null> {
  const { openIndexReader } = await import("../lib/state/index-db/open.ts");
  const index = openIndexReader({ stateDir, clock: systemClock, logger: silentLogger, places: { userHome: "", workspacesRoot: "", extra: [] } });
  if (index === null) return null;
  try {
    return await index.status();
  } finally {
    await index.close();
  }
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

function keptFiles(path: string): string[] {
  const name = basename(path);
  const names = readdirSync(dirname(path)).filter((one) => one.startsWith(`${name}.`) && (/\.corrupt-\d+$/.test(one) || one.endsWith(".bak")));
  return names.sort().map((one) => join(dirname(path), one));
}

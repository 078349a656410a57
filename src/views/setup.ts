import { isTerminal, terminalColumns } from "../lib/platform/index.ts";
import { pairsText } from "./table.ts";
import { type SetupEvent, plainStages, type StageView } from "./stages.ts";

export const QUICKSTART_STAGES = ["set-up", "repository", "runtime", "issue", "claim", "run", "verify", "stop"] as const;

export interface OpenStages {
  readonly onEvent: (event: SetupEvent) => void;
  /** The promise's own result; the stages are closed before it is handed on. */
  during<T>(work: Promise<T>): Promise<T>;
}

/** Shows stages while work goes on: live on a terminal, as lines elsewhere, on stderr when stdout carries JSON. */
export function openStages(options: { json: boolean; names: readonly string[] }): OpenStages {
  let view: StageView | undefined;
  const early: SetupEvent[] = [];
  // A terminal that does not know its width would be filled one letter a line.
  const live = !options.json && isTerminal("stdout") && terminalColumns() >= 40;
  if (!live) view = plainStages(options.json ? "err" : "out");
  const ready = live
    ? import("./live-stages.ts").then(({ liveStages }) => {
        view = liveStages(options.names);
        for (const event of early) view.onEvent(event);
      })
    : Promise.resolve();
  return {
    onEvent: (event) => (view === undefined ? void early.push(event) : view.onEvent(event)),
    during: async (work) => {
      try {
        return await work;
      } finally {
        await ready;
        await view?.end();
      }
    },
  };
}

interface Embedded {
  readonly server_url: string;
  readonly workspace: { readonly name: string; readonly id: string };
  readonly daemon: { readonly pid: number | null; readonly port: number | null };
  readonly runtimes: readonly { readonly name: string; readonly provider: string; readonly status: string; readonly found: string | null }[];
  readonly next: readonly string[];
}

/** The end of `setup embedded`. */
export function embeddedText(report: Embedded): string {
  const { daemon, runtimes } = report;
  const facts = pairsText([
    ["Server", report.server_url],
    ["Workspace", `${report.workspace.name} (${report.workspace.id})`],
    ["Daemon", daemon.pid === null ? "not started" : `pid ${daemon.pid}, port ${daemon.port ?? "?"}`],
    ["Runtimes", runtimes.length === 0 ? "none yet: no agent was found on this machine" : runtimes.map((one) => `${one.name} (${one.provider}, ${one.status})${one.found === null ? "" : `, ${one.found}`}`).join("; ")],
  ]);
  return `\n${facts}\nTry next:\n${report.next.map((command) => `  ${command}\n`).join("")}`;
}

interface Quickstart {
  readonly issue: { readonly identifier: string; readonly status: string };
  readonly task: { readonly id: string; readonly status: string };
  readonly repo: { readonly url: string; readonly branch: string; readonly commit: string; readonly cache: string };
  readonly diff_stat: string;
  readonly comment: string;
  readonly stages: readonly { readonly name: string; readonly ms: number }[];
  readonly total_ms: number;
  readonly kept_dir?: string;
}

/** The end of `quickstart`. */
export function quickstartText(report: Quickstart): string {
  const facts = pairsText([
    ["Issue", `${report.issue.identifier}, ${report.issue.status}`],
    ["Task", `${report.task.id}, ${report.task.status}`],
    ["Repository", report.repo.url],
    ["Branch", report.repo.branch],
    ["Commit", report.repo.commit],
    ["Comment", report.comment],
    ["Times", report.stages.map((stage) => `${stage.name} ${stage.ms} ms`).join(", ")],
    ["Total", `${(report.total_ms / 1000).toFixed(1)} s`],
    ...(report.kept_dir === undefined ? [] : ([["Kept", report.kept_dir]] as const)),
  ]);
  return `\n${facts}\n${report.diff_stat.trimEnd()}\n`;
}

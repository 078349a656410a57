import type { StateHandle, TaskRecord } from "../state/index.ts";
import { IndexWorker } from "../state/index-db/worker-index.ts";
import { MulticaError, isMulticaError } from "../core/index.ts";
import type { Daemon } from "./assemble.ts";
import type { DaemonContext } from "./context.ts";
import type { ExecEnding } from "./exec/ending.ts";
import { openExec } from "./exec/open.ts";
import { type Spare, registeredProcesses } from "./exec/spare.ts";
import { homePlacesOf } from "./places.ts";
import { Outbox } from "./outbox/outbox.ts";
import { recover } from "./recovery.ts";
import type { Stage } from "./stage.ts";
import { type Adopted, findAdopted } from "./task/hosted/adopted.ts";

/** What the context gets once the state file is open. */
export type Opened = { -readonly [K in "state" | "outbox" | "exec"]: DaemonContext[K] } & Pick<DaemonContext, "index">;

/**
 * Opens what outlives a daemon: hosts of processes are taken over before strays are looked for. Answers the tasks whose
 * agents outlived an earlier daemon; they are to be gone on with before the server is told what this one does not run.
 */
export async function open(stage: Stage, daemon: Daemon, opened: Opened): Promise<Adopted[]> {
  const { options, clock, limits, logger, listener, root } = stage;
  const { config } = options;
  let adopted: Adopted[] = [];
  let lost: readonly TaskRecord[] = [];
  const adopt = async (handle: StateHandle | null): Promise<Spare> => {
    const epoch = hostEpoch(handle, clock.now());
    opened.exec = await openExec({ ...daemon.ctx, state: handle, epoch, autoReattach: config.execAutoReattach, launcher: config.execLauncher });
    opened.exec.onEnd(({ threadId, processId, exitCode }) => daemon.ctx.recent.add({ kind: "command", id: `${threadId}/${processId}`, outcome: `exit ${exitCode}`, reason: "" }));
    adopted = await findAdopted({ exec: opened.exec, state: handle, credentials: daemon.ctx.credentials, logger, graceMs: limits.leftoverGrace });
    return registeredProcesses(opened.exec);
  };
  if (options.noState === true) {
    await adopt(null);
    return adopted;
  }
  // Here and not above: without the state file the daemon must not need SQLite either.
  const { openState } = await import("../state/open.ts");
  const state = await openState({
    stateDir: config.stateDir,
    version: options.version,
    profile: config.profile,
    journalMode: config.stateJournalMode,
    clock,
    logger,
    onLeaseLost: () => root.abort(new MulticaError("lease_lost", "another daemon has taken the state file")),
  });
  opened.state = await recover(state, { port: listener.port, clock, logger, leftoverGraceMs: limits.leftoverGrace, adopt, onLost: (tasks) => void (lost = tasks) });
  opened.outbox = new Outbox({ api: daemon.ctx.api, clock, logger, state: opened.state });
  tellLost(opened.outbox, lost, adopted);
  return adopted;
}

/**
 * Where an agent is gone on with, the server is not told that its runtime runs nothing (`recover-orphans` would give that
 * agent's task up too): the tasks that did end with the earlier daemon are reported one by one.
 */
function tellLost(outbox: Outbox, lost: readonly TaskRecord[], adopted: readonly Adopted[]): void {
  const alive = new Set(adopted.map(({ row }) => row.runtime_id));
  for (const task of lost) {
    if (!alive.has(task.runtime_id)) continue;
    outbox.add(task.task_id, [{ kind: "fail", body: { error: "the daemon ended while the task was running", failure_reason: "runtime_recovery" } }], { durable: true });
  }
}

/**
 * The number by which hosts know the newest daemon. A time, because runs with and without the state file take turns and only
 * one of them counts its runs; never behind the run before, whatever became of the clock.
 */
function hostEpoch(state: StateHandle | null, nowMs: number): number {
  const [, before] = state?.listRuns(2) ?? [];
  return Math.max(nowMs, (before?.started_at_ms ?? 0) + 1);
}

/** Goes on with the agents that outlived an earlier daemon, each in a slot while there are any. */
export function goOnWithAgents({ ctx, dispatcher }: Daemon, adopted: readonly Adopted[]): void {
  // They run, whatever the limit is now: one without a slot only takes none.
  for (const one of adopted) dispatcher.dispatch(one.sealed.task, ctx.slots.tryTake() ?? -1, one);
}

/** True when the daemon ends and another one is to go on with what runs: not when it was told to stop. */
export function handsOver(root: AbortSignal): boolean {
  return root.aborted && !isMulticaError(root.reason, "shutdown");
}

/** After the tasks have ended: what does not survive the daemon is ended, the others run on without it (exec-sessions.md 20.3). */
export async function letGo({ logger, root }: Stage, { exec, threads }: Pick<DaemonContext, "exec" | "threads">, ending: ExecEnding): Promise<void> {
  if (exec === null) return;
  // The conversations of agents that are left to the next daemon have not ended.
  const { staying, ended } = await exec.shutdown(ending, handsOver(root.signal) ? threads.open : []);
  if (staying + ended > 0) logger.info("processes at the end", { staying, ended });
}

/** The rollout index in a thread of its own; without it the files answer. */
export function indexWorker({ options, clock, logger }: Stage): IndexWorker {
  const { config, version } = options;
  const { stateDir, stateJournalMode: journalMode } = config;
  const places = homePlacesOf(options);
  return new IndexWorker({ stateDir, version, places, journalMode, clock, logger: logger.child({ component: "index" }) });
}

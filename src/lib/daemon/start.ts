import type { ExecService } from "../exec/index.ts";
import type { StateHandle } from "../state/index.ts";
import { IndexWorker } from "../state/index-db/worker-index.ts";
import { MulticaError } from "../core/index.ts";
import type { Daemon } from "./assemble.ts";
import type { DaemonContext } from "./context.ts";
import type { ExecEnding } from "./exec/ending.ts";
import { openExec } from "./exec/open.ts";
import { type Spare, registeredProcesses } from "./exec/spare.ts";
import { homePlacesOf } from "./places.ts";
import { Outbox } from "./outbox/outbox.ts";
import { recover } from "./recovery.ts";
import type { Stage } from "./stage.ts";

/** What the context gets once the state file is open. */
export type Opened = { -readonly [K in "state" | "outbox" | "exec"]: DaemonContext[K] } & Pick<DaemonContext, "index">;

/** Opens what outlives a daemon: hosts of processes are taken over before strays are looked for. */
export async function open(stage: Stage, daemon: Daemon, opened: Opened): Promise<void> {
  const { options, clock, limits, logger, listener, root } = stage;
  const { config } = options;
  const adopt = async (handle: StateHandle | null, epoch: number): Promise<Spare> => {
    opened.exec = await openExec({ ...daemon.ctx, state: handle, epoch, autoReattach: config.execAutoReattach });
    return registeredProcesses(opened.exec);
  };
  if (options.noState === true) {
    await adopt(null, clock.now());
    return;
  }
  // Here and not above: without the state file the daemon must not need SQLite either.
  const { openState } = await import("../state/open.ts");
  const state = await openState({
    stateDir: config.stateDir,
    version: options.version,
    profile: config.profile,
    clock,
    logger,
    onLeaseLost: () => root.abort(new MulticaError("lease_lost", "another daemon has taken the state file")),
  });
  opened.state = await recover(state, { port: listener.port, clock, logger, leftoverGraceMs: limits.leftoverGrace, adopt });
  opened.outbox = new Outbox({ api: daemon.ctx.api, clock, logger, state: opened.state });
}

/** After the tasks have ended: what does not survive the daemon is ended, the others run on without it (exec-sessions.md 20.3). */
export async function letGo({ logger }: Stage, exec: ExecService | null, ending: ExecEnding): Promise<void> {
  if (exec === null) return;
  const { staying, ended } = await exec.shutdown(ending);
  if (staying + ended > 0) logger.info("processes at the end", { staying, ended });
}

/** The rollout index in a thread of its own; without it the files answer. */
export function indexWorker({ options, clock, logger }: Stage): IndexWorker {
  const { config, version } = options;
  const { stateDir } = config;
  const places = homePlacesOf(options);
  return new IndexWorker({ stateDir, version, places, clock, logger: logger.child({ component: "index" }) });
}

import { createLocalPortClient } from "../../api/index.ts";
import { EXIT, MulticaError, errorText } from "../../core/index.ts";
import { type Clock, type ProcessIdentity, identityAlive, processIdentity, removeFile, sendSignal } from "../../platform/index.ts";
import type { ExecEnding } from "../exec/ending.ts";
import { daemonPaths, readOperatorToken, readPid } from "../files.ts";
import { type DaemonTarget, findDaemon, foreignError } from "./find.ts";

export interface StopOptions extends DaemonTarget {
  readonly clock: Clock;
  /** What becomes of processes under exec hosts; they are kept unless it says otherwise. */
  readonly exec?: ExecEnding;
  /** How long to wait for the end; 10 polls of 500 ms unless given. */
  readonly waitMs?: number;
  /** When a signalled process that no longer answers is killed; 5 s unless given. */
  readonly killAfterMs?: number;
}

export interface StopResult {
  /** `finishing`: it agreed, but its tasks are not done yet. */
  readonly status: "stopped" | "not_running" | "finishing";
  readonly pid: number | null;
  /** Processes under exec hosts that run on without the daemon. */
  readonly exec_staying: number;
  readonly warnings: readonly string[];
}

const POLL_MS = 500;
const WAIT_MS = 10 * POLL_MS;
const KILL_AFTER_MS = 5000;

/**
 * Stops the daemon of a profile (daemon.md 2.8): asks it, or signals it when it does not listen to us. The pid comes from its own
 * health answer and only after its identity is established. Not running is a result; throws `foreign_daemon` (7).
 */
export async function stopDaemon(options: StopOptions): Promise<StopResult> {
  const found = await findDaemon(options);
  if (found.kind === "foreign") throw foreignError(found);
  if (found.kind === "stopped") return alreadyEnding(options, found.holder);
  const identity = identityOf(found.health.pid);
  const warnings: string[] = [];
  const asked = await askToStop(options.stateDir, found.port, options.exec ?? "keep");
  const refusal = typeof asked === "string" ? asked : null;
  const exec_staying = typeof asked === "string" ? 0 : asked;
  if (refusal !== null) {
    warnings.push(`${refusal}; sent a signal to pid ${identity.pid} instead`);
    sendSignal(identity.pid, "SIGTERM");
  }
  const gone = await waitGone(options, identity, refusal !== null);
  if (!gone) return { status: "finishing", pid: identity.pid, exec_staying, warnings };
  if (readPid(options.stateDir) === identity.pid) await removeFile(daemonPaths(options.stateDir).pid);
  return { status: "stopped", pid: identity.pid, exec_staying, warnings };
}

/** Nobody answers: there is none, or it closed its port because it is ending, which takes as long as its tasks do. */
async function alreadyEnding(options: StopOptions, holder: ProcessIdentity | null): Promise<StopResult> {
  const rest = { exec_staying: 0, warnings: [] };
  if (holder === null) return { status: "not_running", pid: null, ...rest };
  return { status: (await waitGone(options, holder, false)) ? "stopped" : "finishing", pid: holder.pid, ...rest };
}

function identityOf(pid: number): ProcessIdentity {
  const identity = Number.isInteger(pid) && pid > 1 ? processIdentity(pid) : null;
  if (identity !== null) return identity;
  throw new MulticaError("no_pid", "the daemon answers but does not say which process it is", {
    exit: EXIT.failed,
    suggestions: ["End it by hand, then try again."],
  });
}

/** How many processes stay when it agreed, else why it did not. */
async function askToStop(stateDir: string, port: number, exec: ExecEnding): Promise<string | number> {
  const token = readOperatorToken(stateDir);
  if (token === undefined) return "the operator token cannot be read";
  try {
    return (await createLocalPortClient({ port, token }).shutdown(exec)) ?? "the daemon refused to stop";
  } catch (error) {
    return errorText(error);
  }
}

/** True when the process has ended. With `force`, a process that ignores SIGTERM and no longer answers is killed after 5 s. */
async function waitGone(options: StopOptions, identity: ProcessIdentity, force: boolean): Promise<boolean> {
  const { clock } = options;
  const started = clock.monotonic();
  const killAfter = options.killAfterMs ?? KILL_AFTER_MS;
  const limit = started + (options.waitMs ?? WAIT_MS) + (force ? killAfter : 0);
  let killed = false;
  for (let pause = 50; clock.monotonic() < limit; pause = Math.min(POLL_MS, pause * 2)) {
    if (!identityAlive(identity)) return true;
    await clock.sleep(pause);
    if (!force || killed || clock.monotonic() - started < killAfter) continue;
    if ((await findDaemon(options, 1000)).kind === "alive") continue;
    killed = true;
    if (identityAlive(identity)) sendSignal(identity.pid, "SIGKILL");
  }
  return !identityAlive(identity);
}

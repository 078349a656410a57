import { EXIT, MulticaError } from "../../core/index.ts";
import { profileCommand } from "../../config/index.ts";
import { type Clock, type Env, type ExitFacts, ensureDir, fileSize } from "../../platform/index.ts";
import type { Health } from "../../wire/index.ts";
import { daemonPaths, readDaemonInfo, readPid, writePid } from "../files.ts";
import { earlyDeath } from "./early-death.ts";
import { type DaemonTarget, findDaemon, foreignError } from "./find.ts";
import { spawnDaemon } from "./spawn.ts";

export interface StartOptions extends DaemonTarget {
  /** The profile's token from its settings; "" refuses at once. */
  readonly token: string;
  readonly serverUrl: string;
  /** How to start this product: node binary, script, and words before `daemon start`. */
  readonly self: { readonly node: string; readonly script: string };
  /** Flags to hand on, as `forwardedFlags` builds them. */
  readonly flags: readonly string[];
  readonly env: Readonly<Env>;
  readonly clock: Clock;
  /** Readiness wait in milliseconds; 45 s unless given. */
  readonly waitMs?: number;
  /** An already running daemon is success. */
  readonly ensure?: boolean;
}

export interface StartResult {
  readonly status: "running" | "starting";
  readonly pid: number;
  readonly port: number;
  readonly profile: string;
  readonly version: string;
  readonly log_path: string;
  readonly already_running: boolean;
  /** What went wrong without hindering the start. */
  readonly warnings: readonly string[];
}

const READINESS_WAIT_MS = 45_000;
const POLL_MS = 500;
const FIRST_POLL_MS = 50;

/**
 * Starts the daemon in the background and waits until it can work (daemon.md 2.2): `running` is success, still `starting` at
 * the limit is a result too. Throws `already_running` (7), `not_signed_in` (3), `foreign_daemon` (7), `log_unwritable`,
 * and for a child that died what its logs say (3, 6 or its own status).
 */
export async function startDaemon(options: StartOptions): Promise<StartResult> {
  const present = await settled(options);
  if (present !== null) return present;
  if (options.token === "") {
    throw new MulticaError("not_signed_in", "not signed in: the daemon needs a token of its own", {
      exit: EXIT.notSignedIn,
      suggestions: [`Run ${profileCommand(options.profile, "login")}.`],
    });
  }
  return spawnAndWait(options);
}

/**
 * What is to be said of a daemon that is there already; null when none is. One that is about to end is waited for: its end
 * takes as long as its tasks do. Throws `foreign_daemon`, `already_running` and `still_ending` (7).
 */
async function settled(options: StartOptions): Promise<StartResult | null> {
  const { clock } = options;
  const limit = clock.monotonic() + (options.waitMs ?? READINESS_WAIT_MS);
  for (let pause = FIRST_POLL_MS; ; pause = Math.min(POLL_MS, pause * 2)) {
    const found = await findDaemon(options);
    if (found.kind === "foreign") throw foreignError(found);
    if (found.kind === "stopped" && found.holder === null) return null;
    if (found.kind === "alive" && found.health.stopping !== true) {
      if (options.ensure !== true) throw alreadyRunning(options.profile, found.health.pid, found.port);
      if (found.health.status === "running" || clock.monotonic() >= limit) return resultOf(options, found.port, found.health, true, []);
    }
    if (clock.monotonic() >= limit) throw stillEnding(found.kind === "alive" ? found.health.pid : (found.holder?.pid ?? 0));
    await clock.sleep(pause);
  }
}

/** The daemon that somebody else started in the same moment; null when something else was in the way. Ours has named itself in its pid file. */
async function settledByAnother(options: StartOptions): Promise<StartResult | null> {
  try {
    return await settled(options);
  } finally {
    const pid = readDaemonInfo(options.stateDir)?.pid;
    if (pid !== undefined && pid !== readPid(options.stateDir)) await writePid(options.stateDir, pid).catch(() => undefined);
  }
}

function stillEnding(pid: number): MulticaError {
  return new MulticaError("still_ending", `the daemon that ran here (pid ${pid}) takes no more tasks and has not ended yet`, {
    exit: EXIT.conflict,
    suggestions: [`Start it when that process has ended; if it hangs, end it with: kill -9 ${pid}`],
    details: { pid },
  });
}

async function spawnAndWait(options: StartOptions): Promise<StartResult> {
  const paths = daemonPaths(options.stateDir);
  await ensureDir(options.stateDir);
  const log = { path: paths.log, offset: fileSize(paths.log) };
  const { node, script } = options.self;
  const child = await spawnDaemon({ target: { command: node, args: [script] }, stateDir: options.stateDir, flags: options.flags, env: options.env });
  const warnings = [...child.warnings];
  const ended = await waitReady(options, child, warnings);
  if ("health" in ended) return ended.health;
  if ("exit" in ended) {
    const other = ended.exit.code === EXIT.conflict ? await settledByAnother(options) : null;
    if (other !== null) return other;
    throw earlyDeath({ log, crashLog: { path: paths.crashLog, offset: child.crashOffset }, exit: ended.exit, profile: options.profile, serverUrl: options.serverUrl });
  }
  throw new MulticaError("daemon_silent", "the daemon was started but nothing answers", {
    exit: EXIT.failed,
    suggestions: [`Logs: ${paths.log}, ${paths.crashLog}`],
  });
}

type Waited = { readonly health: StartResult } | { readonly exit: ExitFacts } | { readonly silent: true };

async function waitReady(options: StartOptions, child: { pid: number; exited: Promise<ExitFacts> }, warnings: string[]): Promise<Waited> {
  const { clock } = options;
  const limit = clock.monotonic() + (options.waitMs ?? READINESS_WAIT_MS);
  let exit: ExitFacts | undefined;
  void child.exited.then((facts) => (exit = facts));
  let starting: StartResult | undefined;
  // Short polls first: a warm start takes a few hundred milliseconds.
  for (let pause = FIRST_POLL_MS; clock.monotonic() < limit; pause = Math.min(POLL_MS, pause * 2)) {
    await Promise.race([clock.sleep(pause), child.exited]);
    if (exit !== undefined) return { exit };
    const found = await findDaemon(options);
    if (found.kind !== "alive" || found.health.pid !== child.pid) continue;
    const result = resultOf(options, found.port, found.health, false, warnings);
    if (result.status === "running") return { health: result };
    starting = result;
  }
  return starting === undefined ? { silent: true } : { health: starting };
}

function resultOf(
  options: StartOptions,
  port: number,
  health: Health,
  already: boolean,
  warnings: readonly string[],
): StartResult {
  return {
    status: health.status === "running" ? "running" : "starting",
    pid: health.pid,
    port,
    profile: options.profile,
    version: typeof health["version"] === "string" ? health["version"] : (health.cli_version ?? ""),
    log_path: daemonPaths(options.stateDir).log,
    already_running: already,
    warnings,
  };
}

function alreadyRunning(profile: string, pid: number, port: number): MulticaError {
  return new MulticaError("already_running", `the daemon is already running (pid ${pid}, port ${port})`, {
    exit: EXIT.conflict,
    suggestions: [`Use ${profileCommand(profile, "daemon restart")} to start it anew.`],
    details: { pid, port },
  });
}

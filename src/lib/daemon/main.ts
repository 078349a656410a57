import { type DaemonConfig, profileCommand, stateRoot } from "../config/index.ts";
import { EXIT, MulticaError, errorText } from "../core/index.ts";
import { restoreRootMarker } from "../execenv/index.ts";
import { currentPid, ensureDir, selfCommand, systemClock } from "../platform/index.ts";
import type { Logger } from "../platform/logger.ts";
import { assemble, type Base, type Daemon } from "./assemble.ts";
import type { ExecEnding } from "./exec/ending.ts";
import { CleanUp } from "./clean-up.ts";
import { claimFiles, daemonPaths, publishPlace, readDaemonInfo, unpublishDaemon } from "./files.ts";
import { resolveDaemonId } from "./identity.ts";
import { writeLauncher } from "./launcher.ts";
import { LIMITS } from "./limits.ts";
import { type LocalApiFacts, localApi } from "./local-api.ts";
import { bindLocalPort, type LocalListener } from "./local-port/listen.ts";
import { openLog } from "./log.ts";
import { renewToken } from "./loops/renewal.ts";
import { goOnWithAgents, handsOver, indexWorker, letGo, open, type Opened } from "./start.ts";
import { closeState } from "./recovery.ts";
import { spawnDaemon } from "./control/spawn.ts";
import { deregisterAll } from "./shutdown.ts";
import { siblingRuntimes } from "./siblings.ts";
import { holdStateDir } from "./single.ts";
import type { RunDaemonOptions, Stage } from "./stage.ts";
import { runTask } from "./task/handle.ts";
import { restartTarget } from "./update/target.ts";
import { followWishes } from "./wishes.ts";
import { work } from "./work.ts";

export type { RunDaemonOptions } from "./stage.ts";

/**
 * Runs the daemon until its signal or its local port asks it to stop (daemon.md 1.2, 1.3). Resolves after an orderly shutdown.
 * Throws `not_signed_in` (3), `port_taken` and `already_running` (7), `log_unwritable` (1), what the server said at
 * start (3, 6 …); whatever had been taken by then is given back.
 */
export async function runDaemon(options: RunDaemonOptions): Promise<void> {
  const { config } = options;
  if (config.token === "") {
    throw new MulticaError("not_signed_in", "not authenticated: the daemon needs a token of its own", {
      exit: EXIT.notSignedIn,
      suggestions: [`Run ${profileCommand(config.profile, "login")}.`],
    });
  }
  const clock = options.clock ?? systemClock;
  const limits = { ...LIMITS, ...options.limits };
  const undo = new CleanUp();
  const successor: Stage["successor"] = { target: null };
  let logger: Logger | null = null;
  try {
    const listener = await bindSamePort(config, limits.localReceive);
    undo.add("close the local port", () => listener.close(clock));
    const lock = await holdStateDir(config.stateDir, config.profile);
    undo.add("free the state directory", () => lock.release());
    logger = openLog(options);
    const stage: Stage = { options, clock, limits, logger, listener, root: new AbortController(), undo, successor };
    followSignal(stage);
    await runStage(stage);
  } catch (error) {
    logger?.error("the daemon ends with an error", { error: errorText(error) });
    throw error;
  } finally {
    await undo.run(logger);
    logger?.close();
  }
  if (successor.target !== null) await spawnDaemon({ target: successor.target, stateDir: config.stateDir, flags: options.successorFlags ?? [], env: options.env });
}

/** With "any free port" the one of a daemon that was killed is preferred: its agents still know it by that. */
async function bindSamePort({ port, stateDir }: DaemonConfig, receiveMs: number): Promise<LocalListener> {
  const last = port === 0 ? readDaemonInfo(stateDir)?.port : undefined;
  if (last === undefined) return bindLocalPort(port, receiveMs);
  return bindLocalPort(last, receiveMs).catch(() => bindLocalPort(port, receiveMs));
}

/** The caller's wish to stop becomes the root signal. */
function followSignal({ options, root, undo }: Stage): void {
  const stop = (): void => root.abort(new MulticaError("shutdown", "the daemon is shutting down"));
  if (options.signal.aborted) stop();
  options.signal.addEventListener("abort", stop, { once: true });
  undo.add("stop listening to the caller", () => options.signal.removeEventListener("abort", stop));
}

async function runStage(stage: Stage): Promise<void> {
  const { options, clock, limits, logger, listener, root, undo } = stage;
  const { config } = options;
  const startedAt = clock.monotonic();
  const state = { ready: false };
  const token = await claimFiles(config.stateDir, currentPid());
  undo.add("remove the daemon's files", () => unpublishDaemon(config.stateDir, currentPid(), token));
  const launcherDir = daemonPaths(config.stateDir).launcherDir;
  await writeLauncher(launcherDir, options.self ?? selfCommand());
  // Built before the state file is open, so that /health answers while leftovers are being ended.
  const index = options.noState === true ? null : indexWorker(stage);
  const opened: Opened = {
    state: null,
    outbox: null,
    exec: null,
    get index() {
      return index?.handle ?? null;
    },
  };
  const daemon = assemble(await baseOf(stage, launcherDir, () => opened));
  undo.add("stop listening to the caller's wishes", followWishes(stage, daemon));
  const wish = await answerLocally(stage, daemon, { token, startedAt, ready: () => state.ready, checkState: index === null ? null : (full) => index.checkState(full) });
  const adopted = await open(stage, daemon, opened);
  let clean = false;
  undo.add("close the state file", () => closeState(opened.state, !clean ? "fatal" : wish.exec === "restart" ? "restart" : "clean", logger));
  undo.add("let go of processes", () => letGo(stage, daemon.ctx, wish.exec));
  undo.add("end repository work", () => daemon.ctx.repoCache.close());
  logger.info("starting daemon", { version: options.version, profile: config.profile, server: config.serverUrl, workspaces_root: config.workspacesRoot });
  await prepareRoot(config.workspacesRoot).catch((error: unknown) => logger.warn("the workspaces root is not ready", { error: errorText(error) }));

  undo.add("deregister runtimes", () => deregisterAll(daemon.ctx, handsOver(root.signal), () => siblingRuntimes({ ...daemon.ctx, stateRoot: stateRoot(options.env, options.home) })));
  undo.add("end the outbox", () => opened.outbox?.stop());
  opened.outbox?.start();
  goOnWithAgents(daemon, adopted);
  undo.add("leave agents to the next daemon", async () => {
    root.abort(new MulticaError("restart", "the daemon could not start"));
    await daemon.dispatcher.drain(limits.taskDrain);
  });
  await preflight(daemon);
  if (!root.signal.aborted) {
    state.ready = true;
    opened.state?.markReady();
    options.onReady?.({ port: listener.port });
    // Only now: looking through years of sessions must not hold up the first task.
    index?.start();
    undo.add("close the session index", () => index?.stop());
    await work(stage, daemon);
  }
  clean = true;
}

type LocalFacts = Pick<LocalApiFacts, "token" | "startedAt" | "ready" | "checkState">;

/** Serves the local port and says where; what somebody who stops the daemon there wishes for its processes is noted. */
async function answerLocally(stage: Stage, daemon: Daemon, facts: LocalFacts): Promise<{ readonly exec: ExecEnding }> {
  const { options, clock, logger, listener, root } = stage;
  const wish: { exec: ExecEnding } = { exec: "keep" };
  const shutDown = (exec: ExecEnding): void => {
    wish.exec = exec;
    root.abort(new MulticaError(exec === "restart" ? "restart" : "shutdown", "the daemon was asked to stop"));
  };
  const local = localApi(daemon, { ...facts, version: options.version, port: listener.port, shutDown });
  listener.serve(local.fetch);
  listener.upgrade(local.upgrade);
  await publishPlace(options.config.stateDir, {
    pid: currentPid(),
    port: listener.port,
    started_at: new Date(clock.now()).toISOString(),
    version: options.version,
  });
  logger.info("local API listening", { addr: `127.0.0.1:${listener.port}` });
  return wish;
}

/** The root of all environments, with the marker that tells agents and commands below it that they are inside one. */
async function prepareRoot(workspacesRoot: string): Promise<void> {
  await ensureDir(workspacesRoot);
  await restoreRootMarker(workspacesRoot);
}

async function baseOf(stage: Stage, launcherDir: string, opened: Base["opened"]): Promise<Base> {
  const { options, clock, limits, logger, listener, root } = stage;
  const { config, env, home } = options;
  const machineRoot = stateRoot(env, home);
  return {
    config,
    limits,
    clock,
    logger,
    env,
    home,
    launcherDir,
    stateDir: config.stateDir,
    stateRoot: machineRoot,
    daemonId: await resolveDaemonId({ pinned: config.daemonId, root: machineRoot, stateDir: config.stateDir, clock }),
    opened,
    rootSignal: root.signal,
    localPort: listener.port,
    runTask: options.runTask ?? runTask,
    version: options.version,
    restartTarget: () => restartTarget(options.self ?? selfCommand()),
    restart: () => planSuccessor(stage),
  };
}

/** Records what takes over and begins the shutdown; false: nothing can, and the daemon goes on. */
function planSuccessor({ options, root, successor }: Stage): boolean {
  const target = restartTarget(options.self ?? selfCommand());
  if (target === null || options.successorFlags === undefined || root.signal.aborted) return false;
  successor.target = target;
  root.abort(new MulticaError("restart", "the daemon is replaced by another version of itself"));
  return true;
}

/** Renewal first: it turns a revoked token into a readable instruction. Only the sync decides (daemon.md 6.3). */
async function preflight(daemon: Daemon): Promise<void> {
  const { ctx } = daemon;
  ctx.logger.info("authenticated", { profile: ctx.profile });
  await renewToken(ctx);
  try {
    await daemon.sync.once({ reconcileProfiles: false });
  } catch (error) {
    if (!ctx.rootSignal.aborted) throw error;
  }
  if (ctx.runtimes.size === 0 && !ctx.rootSignal.aborted) ctx.logger.warn("no runtime yet; waiting for a workspace and an agent");
}

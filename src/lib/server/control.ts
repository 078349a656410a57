import { EXIT, MulticaError, isMulticaError } from "../core/index.ts";
import { type Clock, deadline, identityAlive, processIdentity, removeFile, sendSignal } from "../platform/index.ts";
import { type ServerInfo, readServerInfo } from "./info.ts";
import { type LaunchOptions, launch } from "./launch.ts";
import { serverPaths } from "./paths.ts";

export interface ServerStatus {
  /** `unresponsive`: the process lives but does not answer. */
  readonly state: "running" | "stopped" | "unresponsive";
  readonly data_dir: string;
  readonly pid?: number;
  readonly port?: number;
  readonly url?: string;
  readonly started_at?: string;
}

const HEALTH_MS = 2_000;

/** Looks at `server.json`, the process it names and `GET /health`; changes nothing. */
export async function serverStatus(options: { dataDir: string; clock: Clock }): Promise<ServerStatus> {
  const stopped: ServerStatus = { state: "stopped", data_dir: options.dataDir };
  const info = await readServerInfo(serverPaths(options.dataDir));
  if (info === undefined || !isAlive(info)) return stopped;
  const { pid, port, url, started_at } = info;
  const state = (await answers(url, options.clock)) ? "running" : "unresponsive";
  return { state, data_dir: options.dataDir, pid, port, url, started_at };
}

/** Starts a server in the background and waits until it answers. Throws `server_running` when there is one (exit 7). */
export async function startInBackground(options: LaunchOptions): Promise<ServerInfo> {
  const status = await serverStatus(options);
  if (status.state !== "stopped") {
    throw new MulticaError("server_running", `the server is already running at ${status.url ?? ""} (pid ${status.pid ?? 0})`, {
      exit: EXIT.conflict,
      suggestions: ["Run `multica server stop` first to start it anew."],
    });
  }
  // A file that a killed server left stays until the new one replaces it: removing it could hit somebody else's.
  return launch(options, (url) => answers(url, options.clock));
}

/** The running server of the data directory, started when there is none. Safe to call from several processes at once. */
export async function ensureServer(options: LaunchOptions): Promise<{ url: string; started: boolean }> {
  const status = await serverStatus(options);
  if (status.state === "running" && status.url !== undefined) return { url: status.url, started: false };
  try {
    const { url } = await startInBackground(options);
    return { url, started: true };
  } catch (error) {
    // Somebody else may be starting it: then that one is as good as ours, as soon as it answers.
    const url = isMulticaError(error) && error.exit === EXIT.conflict ? await otherServer(options) : undefined;
    if (url === undefined) throw error;
    return { url, started: false };
  }
}

const OTHER_START_MS = 5_000;

async function otherServer(options: { dataDir: string; clock: Clock }): Promise<string | undefined> {
  const limit = options.clock.monotonic() + OTHER_START_MS;
  for (;;) {
    const status = await serverStatus(options);
    if (status.state === "running") return status.url;
    if (options.clock.monotonic() > limit) return undefined;
    await options.clock.sleep(50);
  }
}

interface StopResult {
  /** False when no server was running. */
  readonly stopped: boolean;
  /** True when it had to be killed. */
  readonly killed: boolean;
  readonly pid?: number;
}

const STOP_MS = 12_000;
const KILL_MS = 3_000;

/** Ends the server of the data directory: SIGTERM, and SIGKILL when it has not gone after 12 s. */
export async function stopServer(options: { dataDir: string; clock: Clock }): Promise<StopResult> {
  const paths = serverPaths(options.dataDir);
  const info = await readServerInfo(paths);
  if (info === undefined) return { stopped: false, killed: false };
  if (!isAlive(info)) {
    await removeFile(paths.info);
    return { stopped: false, killed: false };
  }
  sendSignal(info.pid, "SIGTERM");
  if (await goneWithin(info, STOP_MS, options.clock)) return { stopped: true, killed: false, pid: info.pid };
  sendSignal(info.pid, "SIGKILL");
  if (!(await goneWithin(info, KILL_MS, options.clock))) {
    throw new MulticaError("server_stuck", `the server (pid ${info.pid}) does not end`, { details: { pid: info.pid } });
  }
  await removeFile(paths.info);
  return { stopped: true, killed: true, pid: info.pid };
}

/** The very process that wrote the file, not another one that was given its pid later. */
function isAlive(info: ServerInfo): boolean {
  return info.identity ? identityAlive(info.identity) : processIdentity(info.pid) !== null;
}

async function goneWithin(info: ServerInfo, ms: number, clock: Clock): Promise<boolean> {
  const limit = clock.monotonic() + ms;
  while (isAlive(info)) {
    if (clock.monotonic() > limit) return false;
    await clock.sleep(25);
  }
  return true;
}

async function answers(url: string, clock: Clock): Promise<boolean> {
  const limit = deadline(clock, HEALTH_MS);
  try {
    const response = await fetch(`${url}/health`, { signal: limit.signal });
    return response.ok && (await response.text()).includes('"ok"');
  } catch {
    return false;
  } finally {
    limit.done();
  }
}

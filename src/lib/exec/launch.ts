import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { LineSplitter, MulticaError, asString, isMulticaError, isObject, parseJson } from "../core/index.ts";
import { type Clock, type Env, type HelperProcess, type ProcessIdentity, ensureDir, identityAlive, openBackgroundLog, packageRoot, processIdentity, selfCommand, sendSignal, spawnHelper, withTimeout } from "../platform/index.ts";
import type { LauncherCommand } from "./launcher.ts";
import type { HostReady, HostRequest } from "./protocol.ts";

const READY_MS = 10_000;
const HOST_LOG_BYTES = 256 * 1024;
const KEPT_ENV = ["PATH", "HOME", "USER", "LANG", "TZ", "TMPDIR", "XDG_RUNTIME_DIR", "__CF_USER_TEXT_ENCODING"];
const NODE_FLAGS = ["--disable-warning=ExperimentalWarning", "--max-old-space-size=64", "--max-semi-space-size=2", "--expose-gc"];

export interface LaunchOptions {
  readonly request: HostRequest;
  readonly env: Readonly<Record<string, string>>;
  readonly clock: Clock;
  /** Script of the host; ours unless given. */
  readonly entry?: string;
  /** Goes before the host's command line; a start that fails with it is tried once more without. */
  readonly launcher?: LauncherCommand | null;
  /** Passes the host a lock before it is told what to run. */
  readonly passLock?: ((host: ProcessIdentity) => { readonly path: string; readonly token: string }) | undefined;
}

type Ready = Extract<HostReady, { ready: true }>;

/** The host's own entry: beside this file in the sources, in `dist` when bundled. */
function hostEntry(): string {
  const here = import.meta.url;
  return here.endsWith(".ts") ? fileURLToPath(new URL("./host/main.ts", here)) : join(packageRoot(), "dist", "lib", "exec", "host", "main.js");
}

/**
 * Starts a host and waits until its command runs. Throws what kept the command from starting (`cwd_not_found`,
 * `command_not_found`, `not_executable`, `tty_unavailable`, …), or `spawn_failed`; then no host is left.
 */
export async function launchHost(options: LaunchOptions): Promise<Ready> {
  const { request, clock } = options;
  await ensureDir(request.dir, 0o700);
  const log = openBackgroundLog(join(request.dir, "host.log"), HOST_LOG_BYTES);
  try {
    const command = [selfCommand().node, ...NODE_FLAGS, options.entry ?? hostEntry(), request.xid];
    const launcher = options.launcher ?? null;
    const start = async (before: LauncherCommand | null): Promise<Ready> => {
      const kept = [...KEPT_ENV, ...(before?.env ?? [])];
      const env: Env = Object.fromEntries(Object.entries(options.env).filter(([name]) => kept.includes(name)));
      const [file = "", ...args] = before === null ? command : [before.command, ...before.args, ...command];
      return greet(await spawnHelper({ command: file, args, cwd: "/", env, errorFd: log.fd }), request, clock, options.passLock);
    };
    if (launcher === null) return await start(null);
    return await start(launcher).catch((error: unknown) => {
      // It ended without a word of the host's: no unit could be made for it.
      if (!isMulticaError(error, "spawn_failed")) throw error;
      return start(null);
    });
  } finally {
    log.close();
  }
}

async function greet(host: HelperProcess, request: HostRequest, clock: Clock, passLock: LaunchOptions["passLock"]): Promise<Ready> {
  const identity = processIdentity(host.pid);
  try {
    if (passLock !== undefined && identity === null) throw new MulticaError("spawn_failed", "the host ended before it was told what to run");
    const lock = passLock === undefined || identity === null ? {} : { lock: passLock(identity) };
    host.stdin.end(`${JSON.stringify({ ...request, ...lock })}\n`);
    const ready = await withTimeout(clock, READY_MS, "the host's start", readyLine(host));
    if (ready.ready) return ready;
    throw new MulticaError(ready.code, ready.message);
  } catch (error) {
    if (identity !== null && identityAlive(identity)) {
      // It may have started the command already: asked politely, it ends that too.
      sendSignal(host.pid, "SIGTERM");
      await withTimeout(clock, READY_MS, "the host's end", host.exited).catch(() => identityAlive(identity) && sendSignal(host.pid, "SIGKILL"));
    }
    throw error;
  } finally {
    host.stdout.destroy();
    host.release();
  }
}

async function readyLine(host: HelperProcess): Promise<HostReady> {
  const lines = new LineSplitter(64 * 1024);
  for await (const chunk of host.stdout) {
    const [first] = lines.push(chunk as Buffer);
    if (first === undefined) continue;
    const value = parseJson(first.toString("utf8"));
    if (isObject(value) && value["ready"] === true && typeof value["child_pid"] === "number") return value as unknown as HostReady;
    const code = isObject(value) ? asString(value["code"]) : "";
    return { ready: false, code: code === "" ? "spawn_failed" : code, message: isObject(value) ? asString(value["message"]) : "the host answered nonsense" };
  }
  return { ready: false, code: "spawn_failed", message: "the host ended before it was ready" };
}

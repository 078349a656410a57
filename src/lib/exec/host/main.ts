import { join } from "node:path";
import { MulticaError, errorText, isMulticaError, sha256Hex } from "../../core/index.ts";
import { type Clock, type FileLock, currentPid, endProcess, processIdentity, receiveFileLock, removeFileNow, swapUmask, systemClock, writeFileNow } from "../../platform/index.ts";
import { loadTerminals } from "../../platform/process/terminal-process.ts";
import { type HostMeta, type HostReady, type HostRequest, PROTOCOL } from "../protocol.ts";
import { commandEnv, startOnTerminal, startPiped } from "./command.ts";
import { findCommand } from "./find-command.ts";
import { listenPrivately } from "./listen.ts";
import { readRequest } from "./request.ts";
import { Connections } from "./server.ts";
import { HostSession } from "./session.ts";

const SHUTDOWN_GRACE_MS = 5000;
const FAREWELL_MS = 5000;
const LOCK_MS = 5000;
const LOCK_POLL_MS = 10;

/**
 * The exec host (exec-sessions.md 16): one process for one command, started by the daemon and living exactly as long as the
 * command. It answers one line on stdout (`ready` or why not); everything later goes over its socket and its directory.
 */
async function host(clock: Clock): Promise<void> {
  swapUmask(0o077);
  const request = await readRequest(process.stdin, clock);
  process.stdin.destroy();
  const parts: { hub: Connections | null } = { hub: null };
  const session = new HostSession(request, firstMeta(request), clock, {
    onRecord: () => parts.hub?.changed(),
    onEvent: (event) => parts.hub?.event(event),
  });
  const hub = (parts.hub = new Connections(session, clock));
  writeFileNow(join(request.dir, "token"), request.token, 0o600);
  session.writeMeta();
  const server = await listenPrivately(request.socket, (socket) => hub.accept(socket), clock);
  try {
    hub.lock = request.lock === undefined ? null : await takeLock(request.lock, clock);
    await start(request, session);
  } catch (error) {
    hub.lock?.release();
    server.close();
    removeFileNow(request.socket);
    throw error;
  }
  endWithTheMachine(session, hub);
  say({ ready: true, host_pid: currentPid(), child_pid: session.childPid, socket: request.socket, proto: PROTOCOL });
  await session.closed;
  await hub.finish(FAREWELL_MS);
  server.close();
  removeFileNow(request.socket);
  hub.lock?.release();
}

/** The former holder names us before it lets go: a moment later the lock is ours. */
async function takeLock(lock: { readonly path: string; readonly token: string }, clock: Clock): Promise<FileLock> {
  const limit = clock.monotonic() + LOCK_MS;
  for (;;) {
    const taken = receiveFileLock(lock.path, lock.token);
    if (taken !== null) return taken;
    if (clock.monotonic() >= limit) throw new MulticaError("lock_busy", `the lock that was passed to the host stays taken: ${lock.path}`);
    await clock.sleep(LOCK_POLL_MS);
  }
}

/** Everything that is needed later is loaded before the command starts: an update may replace our files while it runs. */
async function start(request: HostRequest, session: HostSession): Promise<void> {
  const terminals = request.tty ? await loadTerminals() : null;
  const [name, ...args] = request.argv;
  if (name === undefined) throw new MulticaError("invalid", "no command given");
  const { cwd, stdin, cols, rows } = request;
  const env = commandEnv(request.env, {
    MULTICA_EXEC_THREAD_ID: request.thread_id,
    MULTICA_EXEC_PROCESS_ID: request.process_id,
    MULTICA_EXEC_XID: request.xid,
  });
  const file = findCommand(name, cwd, env);
  await session.run(async (onOutput) => {
    const command = { file, args, cwd, env, stdin, cols, rows, onOutput };
    const ours = swapUmask(request.umask);
    try {
      // Both start the process before they return.
      const started = terminals === null ? startPiped(command) : startOnTerminal(terminals, command);
      swapUmask(ours);
      return await started;
    } finally {
      swapUmask(ours);
    }
  });
}

function firstMeta(request: HostRequest): HostMeta {
  const { env: _env, token: _token, sealed: _sealed, lock: _lock, nonce, ...shown } = request;
  const identity = processIdentity(currentPid());
  return {
    ...shown,
    nonce_hash: sha256Hex(nonce),
    proto: PROTOCOL,
    boot_id: identity?.bootId ?? "",
    host_pid: currentPid(),
    host_start_key: identity?.startKey ?? "",
    child_pid: null,
    child_start_key: null,
    started_at_ms: null,
    expires_at_ms: null,
  };
}

function say(line: HostReady): void {
  // Whoever started us may be dead by now; the command runs all the same.
  process.stdout.on("error", () => undefined);
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

function endWithTheMachine(session: HostSession, hub: Connections): void {
  const end = (): void => {
    session.terminate(SHUTDOWN_GRACE_MS, "shutdown");
    hub.leave();
  };
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.on(signal, end);
  process.on("uncaughtException", (error) => {
    process.stderr.write(`${errorText(error)}\n${error.stack ?? ""}\n`);
    session.terminate(0, "host_error", true);
    // The end must not depend on what just failed.
    systemClock.setTimer(FAREWELL_MS, () => endProcess(70));
  });
}

try {
  await host(systemClock);
  endProcess(0);
} catch (error) {
  say({ ready: false, code: isMulticaError(error) ? error.code : "spawn_failed", message: errorText(error) });
  systemClock.setTimer(50, () => endProcess(1));
}

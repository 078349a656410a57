import { type ChildProcess, type StdioOptions, spawn } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import { MulticaError, errorText, systemCode } from "../../core/index.ts";
import type { Env } from "../env.ts";

export interface ExitFacts {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface GroupSpawn {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** The whole environment of the child; nothing of ours is added. */
  readonly env: Env;
}

interface Started {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly exited: Promise<ExitFacts>;
}

/**
 * Starts a command without a shell, leader of a group and a session of its own. Rejects with `spawn_failed`
 * ("executable not found" for a missing one: failure classes are read from that text, agents.md 2.6).
 */
function start(options: GroupSpawn, stdio: StdioOptions): Promise<Started> {
  return new Promise((resolve, reject) => {
    const child = spawn(options.command, [...options.args], { cwd: options.cwd, env: options.env, detached: true, shell: false, windowsHide: true, stdio });
    const exited = new Promise<ExitFacts>((done) => child.once("exit", (code, signal) => done({ code, signal })));
    // Without listeners an EPIPE or a late read error would end the whole process.
    for (const stream of [child.stdin, child.stdout, child.stderr]) stream?.on("error", () => undefined);
    child.once("error", (error) => reject(spawnError(options.command, error)));
    child.once("spawn", () => {
      if (child.pid === undefined) reject(spawnError(options.command, new Error("no pid")));
      else resolve({ child, pid: child.pid, exited });
    });
  });
}

function spawnError(command: string, error: Error): MulticaError {
  const missing = systemCode(error) === "ENOENT";
  const text = missing ? `executable not found at "${command}"` : `cannot start "${command}": ${errorText(error)}`;
  return new MulticaError("spawn_failed", text, { cause: error });
}

/** A stream that `start` was asked for as a pipe. */
function piped<T>(stream: T | null): T {
  if (stream === null) throw new MulticaError("spawn_failed", "the process was started without one of its pipes");
  return stream;
}

/** A child that leads its own process group and session, with three pipes. */
export interface GroupChild {
  readonly pid: number;
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Resolves when the process itself has ended; its pipes may still be held open by descendants. */
  readonly exited: Promise<ExitFacts>;
}

/** Starts a command with three pipes. Rejects with `spawn_failed`. */
export async function spawnGroup(options: GroupSpawn): Promise<GroupChild> {
  const { child, pid, exited } = await start(options, ["pipe", "pipe", "pipe"]);
  return { pid, stdin: piped(child.stdin), stdout: piped(child.stdout), stderr: piped(child.stderr), exited };
}

/** What an exec host runs without a terminal: own session and group, input only when asked for. */
export interface PipedCommand extends Omit<GroupChild, "stdin"> {
  readonly stdin: Writable | null;
}

/** Starts a command whose output is piped, and whose input is a pipe or nothing. Rejects with `spawn_failed`. */
export async function spawnPiped(options: GroupSpawn & { readonly stdin: "none" | "pipe" }): Promise<PipedCommand> {
  const { child, pid, exited } = await start(options, [options.stdin === "pipe" ? "pipe" : "ignore", "pipe", "pipe"]);
  return { pid, stdin: child.stdin, stdout: piped(child.stdout), stderr: piped(child.stderr), exited };
}

/** A helper process that outlives us: one line in, lines out until it closes its stdout, the rest of its output to a file. */
export interface HelperProcess extends Omit<GroupChild, "stderr"> {
  /** Lets this process end while the helper runs. */
  release(): void;
}

/** Starts a process in a session of its own whose stderr goes to `errorFd`. Rejects with `spawn_failed`. */
export async function spawnHelper(options: GroupSpawn & { readonly errorFd: number }): Promise<HelperProcess> {
  const { child, pid, exited } = await start(options, ["pipe", "pipe", options.errorFd]);
  return { pid, stdin: piped(child.stdin), stdout: piped(child.stdout), exited, release: () => child.unref() };
}

export interface BackgroundSpawn extends GroupSpawn {
  /** File descriptor that takes the child's stdout and stderr. */
  readonly outputFd: number;
}

/** Starts a process that outlives this one: own session, no stdin, output to a file. Resolves with its pid. */
export async function spawnBackground(options: BackgroundSpawn): Promise<{ pid: number; exited: Promise<ExitFacts> }> {
  const { child, pid, exited } = await start(options, ["ignore", options.outputFd, options.outputFd]);
  child.unref();
  return { pid, exited };
}

import { spawn } from "node:child_process";
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

/** A child that leads its own process group and session, with three pipes. */
export interface GroupChild {
  readonly pid: number;
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Resolves when the process itself has ended; its pipes may still be held open by descendants. */
  readonly exited: Promise<ExitFacts>;
}

/**
 * Starts a command without a shell. Rejects with `spawn_failed` when it cannot be started
 * ("executable not found" for a missing one: failure classes are read from that text, agents.md 2.6).
 */
export function spawnGroup(options: GroupSpawn): Promise<GroupChild> {
  return new Promise((resolve, reject) => {
    const child = spawn(options.command, [...options.args], {
      cwd: options.cwd,
      env: options.env,
      detached: true,
      shell: false,
      windowsHide: true,
      stdio: ["pipe", "pipe", "pipe"],
    });
    const exited = new Promise<ExitFacts>((done) => child.once("exit", (code, signal) => done({ code, signal })));
    // Without listeners an EPIPE or a late read error would end the whole process.
    for (const stream of [child.stdin, child.stdout, child.stderr]) stream.on("error", () => undefined);
    child.once("error", (error) => reject(spawnError(options.command, error)));
    child.once("spawn", () => {
      const pid = child.pid;
      if (pid === undefined) reject(spawnError(options.command, new Error("no pid")));
      else resolve({ pid, stdin: child.stdin, stdout: child.stdout, stderr: child.stderr, exited });
    });
  });
}

function spawnError(command: string, error: Error): MulticaError {
  const missing = systemCode(error) === "ENOENT";
  const text = missing ? `executable not found at "${command}"` : `cannot start "${command}": ${errorText(error)}`;
  return new MulticaError("spawn_failed", text, { cause: error });
}

export interface BackgroundSpawn extends GroupSpawn {
  /** File descriptor that takes the child's stdout and stderr. */
  readonly outputFd: number;
}

/** Starts a process that outlives this one: own session, no stdin, output to a file. Resolves with its pid. */
export function spawnBackground(options: BackgroundSpawn): Promise<{ pid: number; exited: Promise<ExitFacts> }> {
  return new Promise((resolve, reject) => {
    const child = spawn(options.command, [...options.args], {
      cwd: options.cwd,
      env: options.env,
      detached: true,
      shell: false,
      windowsHide: true,
      stdio: ["ignore", options.outputFd, options.outputFd],
    });
    const exited = new Promise<ExitFacts>((done) => child.once("exit", (code, signal) => done({ code, signal })));
    child.once("error", (error) => reject(spawnError(options.command, error)));
    child.once("spawn", () => {
      child.unref();
      const pid = child.pid;
      if (pid === undefined) reject(spawnError(options.command, new Error("no pid")));
      else resolve({ pid, exited });
    });
  });
}

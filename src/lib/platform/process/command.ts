import { spawn } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import { MulticaError, errorText } from "../../core/index.ts";
import type { ExitFacts, GroupSpawn } from "./spawn.ts";

/** What an exec host runs without a terminal: own session and group, input only when asked for. */
export interface PipedCommand {
  readonly pid: number;
  readonly stdin: Writable | null;
  readonly stdout: Readable;
  readonly stderr: Readable;
  readonly exited: Promise<ExitFacts>;
}

/** Starts a command without a shell. Rejects with `spawn_failed`. */
export function spawnPiped(options: GroupSpawn & { readonly stdin: "none" | "pipe" }): Promise<PipedCommand> {
  return new Promise((resolve, reject) => {
    const child = spawn(options.command, [...options.args], {
      cwd: options.cwd,
      env: options.env,
      detached: true,
      shell: false,
      windowsHide: true,
      stdio: [options.stdin === "pipe" ? "pipe" : "ignore", "pipe", "pipe"],
    });
    const exited = new Promise<ExitFacts>((done) => child.once("exit", (code, signal) => done({ code, signal })));
    for (const stream of [child.stdin, child.stdout, child.stderr]) stream?.on("error", () => undefined);
    child.once("error", (error) => reject(failure(options.command, error)));
    child.once("spawn", () => {
      const { pid, stdout, stderr } = child;
      if (pid === undefined || stdout === null || stderr === null) reject(failure(options.command, new Error("no pid")));
      else resolve({ pid, stdin: child.stdin, stdout, stderr, exited });
    });
  });
}

/** A helper process that outlives us: one line in, lines out until it closes its stdout, the rest of its output to a file. */
export interface HelperProcess {
  readonly pid: number;
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly exited: Promise<ExitFacts>;
  /** Lets this process end while the helper runs. */
  release(): void;
}

/** Starts a process in a session of its own whose stderr goes to `errorFd`. Rejects with `spawn_failed`. */
export function spawnHelper(options: GroupSpawn & { readonly errorFd: number }): Promise<HelperProcess> {
  return new Promise((resolve, reject) => {
    const child = spawn(options.command, [...options.args], {
      cwd: options.cwd,
      env: options.env,
      detached: true,
      shell: false,
      windowsHide: true,
      stdio: ["pipe", "pipe", options.errorFd],
    });
    const exited = new Promise<ExitFacts>((done) => child.once("exit", (code, signal) => done({ code, signal })));
    const { stdin, stdout } = child;
    for (const stream of [stdin, stdout]) stream?.on("error", () => undefined);
    child.once("error", (error) => reject(failure(options.command, error)));
    child.once("spawn", () => {
      const pid = child.pid;
      if (pid === undefined || stdin === null || stdout === null) reject(failure(options.command, new Error("no pid")));
      else resolve({ pid, stdin, stdout, exited, release: () => child.unref() });
    });
  });
}

function failure(command: string, error: Error): MulticaError {
  return new MulticaError("spawn_failed", `cannot start "${command}": ${errorText(error)}`, { cause: error });
}

import { constants } from "node:os";
import { MulticaError } from "../../core/index.ts";
import { type Clock, type Target, type Env, listGroup, spawnPiped, terminateTree } from "../../platform/index.ts";
import type { TerminalProcess, TerminalSpawn } from "../../platform/process/terminal-process.ts";
import { MARKER } from "../protocol.ts";

export type OutputKind = "stdout" | "stderr" | "pty";

export interface CommandExit {
  readonly code: number | null;
  readonly signal: string | null;
  /** Processes of its group and session that were left at that moment. */
  readonly rest: readonly Target[];
}

/** A running command, on a terminal or behind pipes. */
export interface Command {
  readonly pid: number;
  /** Bytes of input it has not taken yet. */
  queued(): number;
  /** False when its input is closed. */
  write(data: Buffer): boolean;
  /** Ends the input; false on a terminal. */
  closeInput(): boolean;
  /** False without a terminal. */
  resize(cols: number, rows: number): boolean;
  pause(): void;
  resume(): void;
  readonly exited: Promise<CommandExit>;
  /** All output was delivered: never, while somebody else holds the pipes. */
  readonly drained: Promise<void>;
}

export interface CommandStart {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Env;
  readonly stdin: "none" | "pipe" | "tty";
  readonly cols: number;
  readonly rows: number;
  readonly onOutput: (kind: OutputKind, data: Buffer) => void;
}

/** Starts behind pipes; rejects with `spawn_failed`. */
export async function startPiped(start: CommandStart): Promise<Command> {
  const child = await spawnPiped({ command: start.file, args: start.args, cwd: start.cwd, env: start.env, stdin: start.stdin === "pipe" ? "pipe" : "none" });
  const streams = [child.stdout, child.stderr];
  child.stdout.on("data", (data: Buffer) => start.onOutput("stdout", data));
  child.stderr.on("data", (data: Buffer) => start.onOutput("stderr", data));
  const ended = streams.map((stream) => new Promise<void>((done) => stream.once("close", done)));
  const { stdin } = child;
  return {
    pid: child.pid,
    queued: () => stdin?.writableLength ?? 0,
    write: (data) => stdin !== null && stdin.writable && (stdin.write(data), true),
    closeInput: () => (stdin?.end(), true),
    resize: () => false,
    pause: () => streams.forEach((stream) => stream.pause()),
    resume: () => streams.forEach((stream) => stream.resume()),
    exited: child.exited.then(({ code, signal }) => ({ code, signal, rest: leftOf(child.pid) })),
    drained: Promise.all(ended).then(() => undefined),
  };
}

/** Starts on a terminal. */
export function startOnTerminal(spawn: (options: TerminalSpawn) => TerminalProcess, start: CommandStart): Command {
  const { cols, rows, cwd, env } = start;
  const terminal = spawn({ command: start.file, args: start.args, cwd, env, cols, rows });
  terminal.onData((data) => start.onOutput("pty", data));
  const { promise: exited, resolve } = Promise.withResolvers<CommandExit>();
  terminal.onExit(({ code, signal }) => {
    // A killed command shows code 0 too: the signal comes first.
    resolve({ code: signal === 0 ? code : null, signal: signal === 0 ? null : signalName(signal), rest: leftOf(terminal.pid) });
  });
  return {
    pid: terminal.pid,
    queued: () => terminal.queued,
    write: (data) => (terminal.write(data), true),
    closeInput: () => false,
    resize: (columns, lines) => (terminal.resize(columns, lines), true),
    pause: () => terminal.pause(),
    resume: () => terminal.resume(),
    exited,
    // The module reports the end only behind the last byte.
    drained: exited.then(() => undefined),
  };
}

/** Looked at once, right behind the end: while a member of its group lives, nobody else can get the number. */
function leftOf(pid: number): Target[] {
  const members = listGroup(pid);
  // A living process of that number is a newcomer: then none of our group is left.
  return members.some((entry) => entry.pid === pid) ? [] : members.map(({ pid: number, startKey }) => ({ pid: number, startKey }));
}

function signalName(number: number): string {
  return Object.entries(constants.signals).find(([, value]) => value === number)?.[0] ?? `SIG${number}`;
}

export interface TreeEndOptions {
  readonly xid: string;
  readonly leader: { readonly pid: number; readonly startKey: string } | null;
  readonly rest: readonly Target[];
  readonly tty: boolean;
  readonly graceMs: number;
  readonly force: boolean;
  readonly leaveChildren: boolean;
  readonly clock: Clock;
}

/** Ends what belongs to the command: group, session, descendants, and whatever bears its marker (22.3, decision 17). */
export async function endTree(options: TreeEndOptions): Promise<boolean> {
  const { leader } = options;
  const gentle: NodeJS.Signals[] = options.tty ? ["SIGHUP", "SIGCONT", "SIGTERM"] : ["SIGTERM", "SIGCONT"];
  const result = await terminateTree({
    ...(leader === null ? {} : { pid: leader.pid, startKey: leader.startKey }),
    also: options.rest,
    ...(options.leaveChildren ? {} : { marker: { name: MARKER, value: options.xid } }),
    gentle: options.force ? ["SIGKILL"] : gentle,
    graceMs: options.graceMs,
    clock: options.clock,
  });
  return result.gone;
}

/** Environment of the command: what the caller sent and who it is. Throws `invalid` above 1 MiB. */
export function commandEnv(env: Readonly<Record<string, string>>, ids: Readonly<Record<string, string>>): Env {
  const whole = { ...env, ...ids };
  const bytes = Object.entries(whole).reduce((sum, [name, value]) => sum + name.length + Buffer.byteLength(value) + 2, 0);
  if (bytes > 1 << 20) throw new MulticaError("invalid", "the environment of the command is larger than 1 MiB");
  return whole;
}

import { closeSync, constants, openSync } from "node:fs";
import { MulticaError, errorText } from "../../core/index.ts";
import type { Env } from "../env.ts";

export interface TerminalSpawn {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Env;
  readonly cols: number;
  readonly rows: number;
}

/** A command on a pseudo terminal; it leads its own session. */
export interface TerminalProcess {
  readonly pid: number;
  /** Bytes that were written but not taken by the terminal yet. */
  readonly queued: number;
  onData(listener: (data: Buffer) => void): void;
  /** After all output, about 200 ms behind the end of the command. A killed one has code 0 and a signal number. */
  onExit(listener: (exit: { readonly code: number; readonly signal: number }) => void): void;
  write(data: Buffer): void;
  resize(cols: number, rows: number): void;
  /** At most 50 ms at a time: what is in the terminal when the command ends is lost 200 ms later. */
  pause(): void;
  resume(): void;
}

/** The part of `@lydell/node-pty` that is used; the package is optional, so its types are not relied on. */
interface Pty {
  readonly pid: number;
  readonly ptsName?: string;
  readonly _socket?: { readonly writableLength?: number };
  onData(listener: (data: string | Buffer) => void): unknown;
  onExit(listener: (exit: { exitCode: number; signal?: number }) => void): unknown;
  write(data: string | Buffer): void;
  resize(cols: number, rows: number): void;
  pause(): void;
  resume(): void;
}
interface PtyModule {
  spawn(file: string, args: readonly string[], options: Record<string, unknown>): Pty;
}

/** Loads the terminal library; throws `tty_unavailable` where there is none for this system (musl, other processors). */
export async function loadTerminals(): Promise<(options: TerminalSpawn) => TerminalProcess> {
  const name = "@lydell/node-pty";
  try {
    const loaded = (await import(name)) as PtyModule & { default?: PtyModule };
    const spawn = loaded.spawn ?? loaded.default?.spawn;
    return (options) => start(spawn, options);
  } catch (error) {
    throw new MulticaError("tty_unavailable", "terminals are not available on this system", {
      cause: error,
      suggestions: ["Start the command without --tty.", `What failed: ${errorText(error)}`],
    });
  }
}

function start(spawn: PtyModule["spawn"], options: TerminalSpawn): TerminalProcess {
  const { cols, rows, cwd } = options;
  // `name` and `cwd` overwrite TERM and PWD: the caller's stand.
  const name = options.env["TERM"] ?? "xterm-256color";
  const pty = spawn(options.command, [...options.args], { name, cols, rows, cwd, env: options.env, encoding: null, handleFlowControl: false });
  holdTerminal(pty);
  return {
    pid: pty.pid,
    get queued() {
      return pty._socket?.writableLength ?? 0;
    },
    onData: (listener) => void pty.onData((data) => listener(Buffer.isBuffer(data) ? data : Buffer.from(data, "utf8"))),
    onExit: (listener) => void pty.onExit(({ exitCode, signal }) => listener({ code: exitCode, signal: signal ?? 0 })),
    write: (data) => pty.write(data),
    resize: (columns, lines) => pty.resize(columns, lines),
    pause: () => pty.pause(),
    resume: () => pty.resume(),
  };
}

/**
 * Keeps the terminal's other side open until the end was reported. Else the hang-up of a command that writes and ends at
 * once reaches the event loop together with its last bytes, and those are lost (exec-sessions.md 22.2).
 */
function holdTerminal(pty: Pty): void {
  if (pty.ptsName === undefined) return;
  try {
    const fd = openSync(pty.ptsName, constants.O_RDWR | constants.O_NOCTTY);
    pty.onExit(() => closeSync(fd));
  } catch {
    // The command is gone already and its terminal with it.
  }
}

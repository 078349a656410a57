/** True when the stream is a terminal that a person looks at. */
export function isTerminal(stream: "stdin" | "stdout" | "stderr"): boolean {
  return process[stream].isTTY === true;
}

/** Columns of the terminal, or 80 when there is none. */
export function terminalColumns(): number {
  return process.stdout.columns ?? 80;
}

/** Rows of the terminal now, or 24 when there is none. */
export function terminalRows(): number {
  return process.stdout.rows ?? 24;
}

export interface TakenTerminal {
  /** Resolves when the terminal can take more. */
  write(data: Buffer): Promise<void>;
  /** Puts the terminal back as it was and lets the process end. Idempotent. */
  giveBack(): void;
}

/**
 * Puts this process's terminal into raw mode: every key, Ctrl-C included, goes to `onKeys`. `onResize` is called at once and
 * whenever the window changes. Needs a terminal on stdin and stdout.
 */
export function takeTerminal(handlers: { onKeys(keys: Buffer): void; onResize(cols: number, rows: number): void }): TakenTerminal {
  const { stdin, stdout } = process;
  const resized = (): void => handlers.onResize(stdout.columns, stdout.rows);
  const keys = (data: Buffer): void => handlers.onKeys(data);
  stdin.setRawMode(true);
  stdin.on("data", keys);
  stdout.on("resize", resized);
  resized();
  let taken = true;
  return {
    write: (data) => new Promise((resolve) => void stdout.write(data, () => resolve())),
    giveBack() {
      if (!taken) return;
      taken = false;
      stdin.off("data", keys);
      stdout.off("resize", resized);
      stdin.setRawMode(false);
      stdin.pause();
    },
  };
}

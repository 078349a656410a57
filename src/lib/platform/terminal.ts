/** True when the stream is a terminal that a person looks at. */
export function isTerminal(stream: "stdin" | "stdout" | "stderr"): boolean {
  return process[stream].isTTY === true;
}

/** Columns of the terminal, or 80 when there is none. */
export function terminalColumns(): number {
  return process.stdout.columns ?? 80;
}

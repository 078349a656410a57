/** The two streams a command may write to; tests pass their own. */
export interface Streams {
  out(text: string): void;
  err(text: string): void;
}

/** The process's own streams. */
export const processStreams: Streams = {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
};

/** One JSON document: two spaces, keys as received, final newline, never coloured (cli.md 4.6). */
export function jsonText(value: unknown): string {
  return `${JSON.stringify(value ?? null, null, 2)}\n`;
}

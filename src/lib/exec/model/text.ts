/** Where the last character begins that is not complete yet; the length when every character is. At most 3 bytes wait. */
export function wholeCharacters(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back] ?? 0;
    if ((byte & 0xc0) === 0x80) continue;
    const needs = byte >= 0xf0 && byte < 0xf8 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return byte < 0xf8 && needs > back ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}

/** Bytes to text; what is no character becomes U+FFFD, one for each broken sequence. */
export function decodeText(bytes: Buffer): string {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
}

/** Continuation bytes at the start whose character was cut away. */
export function skipContinuation(bytes: Buffer): Buffer {
  let at = 0;
  while (at < 3 && at < bytes.length && ((bytes[at] ?? 0) & 0xc0) === 0x80) at += 1;
  return bytes.subarray(at);
}

export const DEFAULT_TOKENS = 10_000;
const BYTES_PER_TOKEN = 4;

/** Estimate of the tokens of a text: its bytes by four (exec-sessions.md 8). */
export function approximateTokens(text: string): number {
  return Math.ceil(Buffer.byteLength(text) / BYTES_PER_TOKEN);
}

/** Cuts the middle out of a text of more than `maxTokens`; beginning and end stay, at character boundaries. */
export function truncateText(text: string, maxTokens: number): { readonly text: string; readonly truncated: boolean } {
  const budget = Math.max(0, maxTokens) * BYTES_PER_TOKEN;
  const bytes = Buffer.from(text);
  if (bytes.length <= budget) return { text, truncated: false };
  const headBudget = Math.floor(budget / 2);
  const head = bytes.subarray(0, wholeCharacters(bytes.subarray(0, headBudget)));
  const tail = skipContinuation(bytes.subarray(bytes.length - (budget - headBudget)));
  const omitted = Math.ceil((bytes.length - head.length - tail.length) / BYTES_PER_TOKEN);
  const lines = text.split("\n").length - (text.endsWith("\n") ? 1 : 0);
  const shown = `${head.toString("utf8")}\n[… ${omitted} tokens omitted …]\n${tail.toString("utf8")}`;
  return { text: `Total output lines: ${lines}\n\n${shown}`, truncated: true };
}

export type YieldKind = "start" | "write" | "poll";

/** Waiting time of a call in its bounds (exec-sessions.md 18.3), milliseconds. */
export function clampYield(kind: YieldKind, ms: number | undefined): number {
  const [least, most, normal] = kind === "start" ? [250, 30_000, 10_000] : kind === "write" ? [250, 30_000, 250] : [5_000, 300_000, 5_000];
  return ms === undefined ? normal : Math.min(most, Math.max(least, ms));
}

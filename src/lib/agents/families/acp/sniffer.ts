/** What stderr gave away about a failing model provider: some agents print it and then report a successful, empty turn (agents.md 15.9). */
export interface Sniffer {
  readonly kept: readonly string[];
  readonly terminal: boolean;
  /** Open brackets of a JSON value that a log record echoes. */
  readonly echoDepth: number;
}

export const emptySniffer: Sniffer = { kept: [], terminal: false, echoDepth: 0 };

const KEEP = 8;
const MAX_BYTES = 4096;
const HEADER = /(?:⚠️|❌|\[ERROR\]).*(?:BadRequestError|AuthenticationError|RateLimitError|HTTP \d{3}|Non-retryable|API call failed)/;
const DETAIL = /(?:Error:|[dD]etails?:)\s*(\S.*)$/;
const TERMINAL = /❌|\[ERROR\]|after \d+ retr|Non-retryable|BadRequestError|AuthenticationError/;
const ECHO = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:,\d{3})? \[(?:INFO|DEBUG)\] root: /;

/** Takes one line of stderr. */
export function sniff(sniffer: Sniffer, line: string): Sniffer {
  if (ECHO.test(line)) return { ...sniffer, echoDepth: Math.max(0, brackets(line.replace(ECHO, ""))) };
  const header = HEADER.test(line);
  if (sniffer.echoDepth > 0 && !(header && !/^\s/.test(line))) {
    return { ...sniffer, echoDepth: Math.max(0, sniffer.echoDepth + brackets(line)) };
  }
  if (!header && !DETAIL.test(line)) return sniffer.echoDepth === 0 ? sniffer : { ...sniffer, echoDepth: 0 };
  const kept = sniffer.kept.includes(line) ? sniffer.kept : [...sniffer.kept, line].slice(-KEEP);
  return { kept, terminal: sniffer.terminal || (header && TERMINAL.test(line)), echoDepth: 0 };
}

/** `acp provider error: …`, or undefined when nothing was kept. */
export function sniffedError(sniffer: Sniffer, provider: string): string | undefined {
  const detail = sniffer.kept.filter((line) => !HEADER.test(line)).map((line) => DETAIL.exec(line)?.[1])[0];
  const text = detail ?? sniffer.kept.find((line) => HEADER.test(line)) ?? sniffer.kept[0];
  if (text === undefined) return undefined;
  const bytes = Buffer.from(text.trim());
  const short = bytes.length <= MAX_BYTES ? text.trim() : `${bytes.subarray(0, MAX_BYTES).toString("utf8")}…(truncated)`;
  return `${provider} provider error: ${short}`;
}

/** Opening minus closing brackets outside of strings. */
function brackets(line: string): number {
  const bare = line.replace(/"(?:[^"\\]|\\.)*"/g, "");
  return (bare.match(/[[{]/g)?.length ?? 0) - (bare.match(/[\]}]/g)?.length ?? 0);
}

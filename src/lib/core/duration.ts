import { EXIT, MulticaError } from "./errors.ts";

const UNIT_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  "µs": 1e-3,
  "μs": 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

const PART = /(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)/y;

/**
 * Milliseconds of a Go-style duration: `300ms`, `1.5h`, `1h30m`, `-2s`, `0`.
 * Throws `bad_duration` (exit 2) for anything else, also for a bare number but zero.
 */
export function parseDuration(text: string): number {
  const trimmed = text.trim();
  const sign = trimmed.startsWith("-") ? -1 : 1;
  const body = trimmed.replace(/^[+-]/, "");
  if (body === "0") return 0;
  let total = 0;
  let at = 0;
  while (at < body.length) {
    PART.lastIndex = at;
    const match = PART.exec(body);
    const unit = match?.[2] === undefined ? undefined : UNIT_MS[match[2]];
    if (match === null || unit === undefined) throw badDuration(text);
    total += Number(match[1]) * unit;
    at = PART.lastIndex;
  }
  if (body === "" || !Number.isFinite(total)) throw badDuration(text);
  return sign * roundToNanos(total);
}

/** A duration in Go's own spelling (`1h2m3s`, `1.5s`, `250ms`, `40µs`, `0s`), from milliseconds; finer than 1 ns is rounded. */
export function formatDuration(ms: number): string {
  if (!Number.isFinite(ms)) return `${ms}ms`;
  const sign = ms < 0 ? "-" : "";
  // Rounded first: 59.9999999999 s must become 1m0s, not 60s.
  const exact = roundToNanos(Math.abs(ms));
  if (exact === 0) return "0s";
  if (exact < 1000) return `${sign}${belowSecond(Math.round(exact * 1e6))}`;
  const seconds = `${Math.round((exact % 60_000) * 1e6) / 1e9}s`;
  const minutes = Math.floor(exact / 60_000);
  if (minutes === 0) return `${sign}${seconds}`;
  return minutes < 60 ? `${sign}${minutes}m${seconds}` : `${sign}${Math.floor(minutes / 60)}h${minutes % 60}m${seconds}`;
}

function belowSecond(nanos: number): string {
  if (nanos < 1e3) return `${nanos}ns`;
  return nanos < 1e6 ? `${nanos / 1e3}µs` : `${nanos / 1e6}ms`;
}

/** To whole nanoseconds, as far as a double can tell them apart (104 days); above that to whole milliseconds. */
function roundToNanos(ms: number): number {
  return Math.abs(ms) < 9e9 ? Math.round(ms * 1e6) / 1e6 : Math.round(ms);
}

function badDuration(text: string): MulticaError {
  return new MulticaError("bad_duration", `invalid duration ${JSON.stringify(text)}`, {
    exit: EXIT.usage,
    suggestions: ["Write it like 90s, 5m or 1h30m."],
  });
}

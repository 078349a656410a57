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
  return sign * total;
}

/** A duration in Go's own spelling (`1h2m3s`, `1.5s`, `250ms`, `0s`), from milliseconds. */
export function formatDuration(ms: number): string {
  if (ms === 0) return "0s";
  const sign = ms < 0 ? "-" : "";
  const absolute = Math.abs(ms);
  if (absolute < 1000) return `${sign}${trimNumber(absolute)}ms`;
  const hours = Math.floor(absolute / 3_600_000);
  const minutes = Math.floor((absolute % 3_600_000) / 60_000);
  const seconds = (absolute % 60_000) / 1000;
  if (hours > 0) return `${sign}${hours}h${minutes}m${trimNumber(seconds)}s`;
  if (minutes > 0) return `${sign}${minutes}m${trimNumber(seconds)}s`;
  return `${sign}${trimNumber(seconds)}s`;
}

function trimNumber(value: number): string {
  return String(Math.round(value * 1e6) / 1e6);
}

function badDuration(text: string): MulticaError {
  return new MulticaError("bad_duration", `invalid duration ${JSON.stringify(text)}`, {
    exit: EXIT.usage,
    suggestions: ["Write it like 90s, 5m or 1h30m."],
  });
}

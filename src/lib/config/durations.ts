import { EXIT, MulticaError, parseDuration } from "../core/index.ts";

const DAY_MS = 86_400_000;

/**
 * Milliseconds of a setting's duration: Go notation plus days (`5d`, `1d12h`, `.5d`), never a bare number but `0` (daemon.md 3.2).
 * Throws `bad_setting` (exit 2) that names where the value came from.
 */
export function settingDuration(text: string, source: string): number {
  const match = /^([+-]?)(?:(\d+(?:\.\d*)?|\.\d+)d)?(.*)$/s.exec(text.trim());
  const [, sign = "", days, rest = ""] = match ?? [];
  try {
    const tail = rest === "" && days !== undefined ? 0 : parseDuration(rest);
    const total = (sign === "-" ? -1 : 1) * ((days === undefined ? 0 : Number(days) * DAY_MS) + tail);
    if (Math.abs(total) <= Number.MAX_SAFE_INTEGER) return total;
  } catch (cause) {
    throw badSetting(source, text, "a duration such as 30s, 5m or 1h30m", cause);
  }
  throw badSetting(source, text, "a duration within reason");
}

/** An integer setting; throws `bad_setting` (exit 2) for anything else. */
export function settingInteger(text: string, source: string): number {
  if (/^[+-]?\d{1,15}$/.test(text.trim())) return Number(text);
  throw badSetting(source, text, "an integer");
}

export function badSetting(source: string, value: string, expected: string, cause?: unknown): MulticaError {
  return new MulticaError("bad_setting", `${source} is ${JSON.stringify(value)}: expected ${expected}`, {
    exit: EXIT.usage,
    cause,
  });
}

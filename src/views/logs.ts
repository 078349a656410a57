import { isObject, parseJson } from "../lib/core/index.ts";
import { processStreams } from "./output.ts";

/** Prints log lines as they come; the heading goes to stderr once there is a log. Raw = the JSON lines themselves. */
export async function printLog(lines: AsyncIterable<string>, options: { heading: string; raw: boolean }): Promise<void> {
  let first = true;
  for await (const line of lines) {
    if (first) processStreams.err(`${options.heading}\n`);
    first = false;
    processStreams.out(`${options.raw ? line : logLine(line)}\n`);
  }
}

const LEVELS: Readonly<Record<string, string>> = { debug: "DBG", info: "INF", warn: "WRN", error: "ERR" };
const HIDDEN = new Set(["time", "level", "msg", "component", "pid", "hostname", "v"]);

/** A JSON log line for people: `HH:MM:SS.mmm LVL message key=value …`; any other line stays as it is. */
export function logLine(line: string): string {
  const entry = parseJson(line);
  if (!isObject(entry) || typeof entry["msg"] !== "string") return line;
  const time = clockTime(entry["time"]);
  const level = LEVELS[String(entry["level"])] ?? String(entry["level"] ?? "").toUpperCase();
  const fields = Object.entries(entry).flatMap(([key, value]) => (HIDDEN.has(key) ? [] : [`${key}=${fieldText(value)}`]));
  return [time, level, entry["msg"], ...fields].filter((part) => part !== "").join(" ");
}

function clockTime(value: unknown): string {
  const date = typeof value === "string" || typeof value === "number" ? new Date(value) : undefined;
  if (date === undefined || Number.isNaN(date.getTime())) return "";
  const two = (n: number): string => String(n).padStart(2, "0");
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${String(date.getMilliseconds()).padStart(3, "0")}`;
}

function fieldText(value: unknown): string {
  if (typeof value === "object" && value !== null) return Array.isArray(value) && value.length > 0 ? value.map(fieldText).join(",") : JSON.stringify(value);
  const text = typeof value === "string" ? value : (JSON.stringify(value) ?? "");
  return text === "" || /[\s"=]/.test(text) ? JSON.stringify(text) : text;
}

import { parseDuration } from "../../lib/core/index.ts";
import { usage } from "../resolve.ts";

/** A duration of a flag in milliseconds; `0` is allowed without unit. */
export function duration(flag: string, text: string): number;
export function duration(flag: string, text: string | undefined): number | undefined;
export function duration(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  try {
    const ms = text.trim() === "0" ? 0 : parseDuration(text.trim());
    if (ms >= 0) return Math.round(ms);
  } catch {
    // Told below, with the flag's name.
  }
  throw usage(`${flag} ${JSON.stringify(text)} is not a duration`, "Write it like 500ms, 10s, 5m or 24h.");
}

const UNITS: Readonly<Record<string, number>> = { "": 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 };

/** `8M`, `512k`, `1G` or bytes. */
export function byteSize(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const match = /^(\d{1,12})\s*([kmg]?)(?:i?b)?$/i.exec(text.trim());
  const unit = UNITS[(match?.[2] ?? "?").toLowerCase()];
  if (match === null || unit === undefined) throw usage(`${flag} ${JSON.stringify(text)} is not a size`, "Write it like 8M or 512k.");
  return Number(match[1]) * unit;
}

/** `132x50`: columns and rows of a terminal. */
export function terminalSize(text: string): { cols: number; rows: number } {
  const match = /^(\d{1,4})x(\d{1,4})$/i.exec(text.trim());
  const [cols, rows] = [Number(match?.[1]), Number(match?.[2])];
  if (match !== null && cols >= 1 && cols <= 1000 && rows >= 1 && rows <= 1000) return { cols, rows };
  throw usage(`${JSON.stringify(text)} is not a size`, "Write columns and rows like 132x50, from 1 to 1000.");
}

const NAMED: Readonly<Record<string, string>> = {
  enter: "\r",
  tab: "\t",
  esc: "\x1b",
  escape: "\x1b",
  space: " ",
  backspace: "\x7f",
  delete: "\x1b[3~",
  up: "\x1b[A",
  down: "\x1b[B",
  right: "\x1b[C",
  left: "\x1b[D",
  home: "\x1b[H",
  end: "\x1b[F",
  pageup: "\x1b[5~",
  pagedown: "\x1b[6~",
};

/** What a key sends: `ctrl-c`, `esc`, `up`, … */
export function keyBytes(name: string): string {
  const control = /^(?:ctrl-|\^)([a-z\\\]^_[])$/i.exec(name)?.[1];
  if (control !== undefined) return String.fromCharCode(control.toUpperCase().charCodeAt(0) & 0x1f);
  const known = NAMED[name.toLowerCase()];
  if (known !== undefined) return known;
  throw usage(`--key ${JSON.stringify(name)} is not a key`, `Keys: ctrl-a … ctrl-z, ${Object.keys(NAMED).join(", ")}.`);
}

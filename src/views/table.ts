import stringWidth from "string-width";

export type Cell = string | number | boolean | null | undefined;

/**
 * A table as text: header in capitals, columns left-aligned with two spaces between them, the last one not padded.
 * Width counts terminal columns; line breaks and tabs inside a cell become one space (cli.md 4.6).
 */
export function tableText(headers: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const lines = [headers, ...rows.map((row) => headers.map((_, at) => cellText(row[at])))];
  const widths = headers.map((_, at) => Math.max(...lines.map((line) => stringWidth(line[at] ?? ""))));
  return lines.map((line) => `${rowText(line, widths)}\n`).join("");
}

function rowText(line: readonly string[], widths: readonly number[]): string {
  return line
    .map((cell, at) => (at === line.length - 1 ? cell : cell + " ".repeat((widths[at] ?? 0) - stringWidth(cell) + 2)))
    .join("")
    .trimEnd();
}

function cellText(cell: Cell): string {
  return cell === null || cell === undefined ? "" : String(cell).replace(/[\r\n\t]+/g, " ");
}

/** `Key:  value` lines with aligned values. */
export function pairsText(pairs: readonly (readonly [string, Cell])[]): string {
  const width = Math.max(0, ...pairs.map(([key]) => stringWidth(key)));
  return pairs.map(([key, value]) => `${`${key}:`.padEnd(width + 3)}${cellText(value)}\n`).join("");
}

/** The text on one line, cut to `limit` characters with `...` as its end. */
export function cutText(text: string | null | undefined, limit: number): string {
  const line = (text ?? "").replace(/\s+/g, " ").trim();
  const characters = [...line];
  return characters.length <= limit ? line : `${characters.slice(0, limit - 3).join("")}...`;
}

/** The day (10 characters) or the minute (16 characters) of a timestamp; empty when there is none. */
export function timeText(time: string | null | undefined, length: 10 | 16): string {
  return (time ?? "").slice(0, length).replace("T", " ");
}

/** One statement of a TOML document with the lines it covers; its text is `lines.slice(start, end)`. */
export interface TomlStatement {
  readonly kind: "table" | "array-table" | "pair" | "comment" | "blank";
  /** Dotted name of a table header, or of a pair's key as written (not prefixed by its table). */
  readonly name: readonly string[];
  /** The table this statement stands in; empty = root. Undefined inside an array of tables. */
  readonly table: readonly string[] | undefined;
  readonly start: number;
  readonly end: number;
}

/**
 * Cuts TOML into statements by line. Multi-line strings and arrays count as one statement, which a scan for lines that
 * begin with `[` gets wrong. The text is assumed to be valid: the result is validated by a real parser afterwards.
 */
export function scanToml(lines: readonly string[]): TomlStatement[] {
  const statements: TomlStatement[] = [];
  let table: readonly string[] | undefined = [];
  for (let at = 0; at < lines.length; ) {
    const text = (lines[at] ?? "").trim();
    const one = { start: at, end: at + 1 };
    if (text === "") statements.push({ kind: "blank", name: [], table, ...one });
    else if (text.startsWith("#")) statements.push({ kind: "comment", name: [], table, ...one });
    else if (text.startsWith("[[")) {
      table = undefined;
      statements.push({ kind: "array-table", name: readKey(text.slice(2)), table, ...one });
    } else if (text.startsWith("[")) {
      table = readKey(text.slice(1));
      statements.push({ kind: "table", name: table, table, ...one });
    } else {
      const end = pairEnd(lines, at);
      statements.push({ kind: "pair", name: readKey(text), table, start: at, end });
    }
    at = statements.at(-1)?.end ?? at + 1;
  }
  return statements;
}

/** The segments of a dotted key at the start of `text`; quoted segments are unquoted. */
function readKey(text: string): string[] {
  const segments: string[] = [];
  const segment = /\s*(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|([A-Za-z0-9_-]+))\s*(\.)?/y;
  for (;;) {
    const match = segment.exec(text);
    if (match === null) return segments;
    segments.push(match[1] ?? match[2] ?? match[3] ?? "");
    if (match[4] === undefined) return segments;
  }
}

/** The line after the end of the pair that begins in line `start`. */
function pairEnd(lines: readonly string[], start: number): number {
  let depth = 0;
  let open: '"""' | "'''" | null = null;
  for (let at = start; at < lines.length; at += 1) {
    const line = lines[at] ?? "";
    for (let column = 0; column < line.length; column += 1) {
      if (open !== null) {
        if (open === '"""' && line[column] === "\\") column += 1;
        else if (line.startsWith(open, column)) {
          // A string may end with up to two more quotes of its own.
          while (line[column + 3] === open[0]) column += 1;
          column += 2;
          open = null;
        }
        continue;
      }
      const character = line[column];
      if (character === "#") break;
      if (line.startsWith('"""', column) || line.startsWith("'''", column)) {
        open = character === '"' ? '"""' : "'''";
        column += 2;
      } else if (character === '"' || character === "'") column = stringEnd(line, column);
      else if (character === "[" || character === "{") depth += 1;
      else if (character === "]" || character === "}") depth -= 1;
    }
    if (open === null && depth <= 0) return at + 1;
  }
  return lines.length;
}

/** The column of the quote that closes the one-line string opened at `column`. */
function stringEnd(line: string, column: number): number {
  const quote = line[column];
  for (let at = column + 1; at < line.length; at += 1) {
    if (quote === '"' && line[at] === "\\") at += 1;
    else if (line[at] === quote) return at;
  }
  return line.length;
}

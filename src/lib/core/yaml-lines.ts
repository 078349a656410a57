// Just enough of YAML for the head of a skill: the keys of the outermost mapping and where their values end. In valid
// YAML everything that belongs to such a key is indented, so a line that begins at column 0 is a new key or a comment.

/** One key of the outermost mapping; its lines are `lines.slice(start, end)`. */
export interface TopKey {
  readonly name: string;
  /** What follows the colon on the key's own line, without blanks and comment. */
  readonly value: string;
  /** The same with its comment. */
  readonly tail: string;
  readonly start: number;
  readonly end: number;
}

const KEY = /^(?:"((?:[^"\\]|\\.)*)"|'((?:[^']|'')*)'|([^\s"'#&*!|>%@`[\]{},-][^:#]*?|-[^\s:#][^:#]*?))\s*:(?=\s|$)(.*)$/;

/** The keys at column 0, in order. Lines that fit nothing are left out: `isPlausible` judges the block. */
export function topKeys(lines: readonly string[]): TopKey[] {
  const keys: TopKey[] = [];
  for (let at = 0; at < lines.length; at += 1) {
    const match = KEY.exec((lines[at] ?? "").replace(/\r$/, ""));
    if (match === null) continue;
    let end = at + 1;
    while (end < lines.length && /^(?:[ \t]|\r?$|- |-\r?$)/.test(lines[end] ?? "")) end += 1;
    // Blank lines behind a value belong to what comes next.
    while (end > at + 1 && /^\s*$/.test(lines[end - 1] ?? "")) end -= 1;
    const tail = match[4] ?? "";
    keys.push({ name: match[1] ?? match[2]?.replaceAll("''", "'") ?? match[3] ?? "", value: withoutComment(tail).trim(), tail, start: at, end });
  }
  return keys;
}

/** The text of a scalar value, or undefined when it is a collection or cannot be told. */
export function scalarText(key: TopKey, lines: readonly string[]): string | undefined {
  const joined = [key.value, ...lines.slice(key.start + 1, key.end).map((line) => withoutComment(line).trim())].join(" ").trim();
  const text = joined.replace(/^&\S+\s*/, "");
  if (text === "") return "";
  if (text.startsWith('"')) {
    try {
      return String(JSON.parse(text));
    } catch {
      return undefined;
    }
  }
  if (text.startsWith("'")) return text.length > 1 && text.endsWith("'") ? text.slice(1, -1).replaceAll("''", "'") : undefined;
  return /^[[{|>*!&]/.test(text) ? undefined : text;
}

/** False when the block cannot be valid YAML as far as a look at its lines tells. */
export function isPlausible(lines: readonly string[]): boolean {
  const keys = topKeys(lines);
  const covered = new Set(keys.flatMap((key) => Array.from({ length: key.end - key.start }, (_, index) => key.start + index)));
  const loose = lines.some((line, at) => !covered.has(at) && !/^\s*(?:#.*)?$/.test(line));
  const names = keys.map((key) => key.name);
  return !loose && new Set(names).size === names.length && keys.every((key) => plausibleValue(key, lines));
}

function plausibleValue(key: TopKey, lines: readonly string[]): boolean {
  const value = key.value.replace(/^&\S+\s*/, "");
  const rest = lines.slice(key.start + 1, key.end).map((line) => line.replace(/\r$/, ""));
  if (value === "" || /^[|>][-+0-9]*$/.test(value)) return rest.every((line) => !/^\t/.test(line));
  const whole = [value, ...rest.map((line) => withoutComment(line).trim())].join(" ").trim();
  if (whole.startsWith('"')) return /^"(?:[^"\\]|\\.)*"$/.test(whole);
  if (whole.startsWith("'")) return /^'(?:[^']|'')*'$/.test(whole);
  if (/^[[{]/.test(whole)) return balanced(whole);
  if (whole.startsWith("*")) return rest.length === 0;
  // A plain scalar cannot hold ": ", cannot end with a colon and cannot begin with a sign of its own.
  return !/:\s|:$/.test(whole) && !/^[%@`|>\]},]/.test(whole) && !/^[?-]\s/.test(whole);
}

function balanced(text: string): boolean {
  const open: string[] = [];
  let quote = "";
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at] ?? "";
    if (quote !== "") {
      if (quote === '"' && character === "\\") at += 1;
      else if (character === quote) quote = "";
    } else if ((character === '"' || character === "'") && /[\s,[{:]/.test(text[at - 1] ?? " ")) quote = character;
    else if (character === "[" || character === "{") open.push(character === "[" ? "]" : "}");
    else if ((character === "]" || character === "}") && open.pop() !== character) return false;
    else if (open.length === 0 && !/\s|\]|\}/.test(character)) return false;
  }
  return quote === "" && open.length === 0;
}

/** The line without its comment: a `#` at the beginning or behind a blank, outside quotes. */
function withoutComment(line: string): string {
  const text = line.replace(/\r$/, "");
  let quote = "";
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at] ?? "";
    if (quote !== "") {
      if (quote === '"' && character === "\\") at += 1;
      else if (character === quote) quote = "";
    } else if ((character === '"' || character === "'") && /^$|[\s,[{:]/.test(text[at - 1] ?? "")) quote = character;
    else if (character === "#" && /^$|\s/.test(text[at - 1] ?? "")) return text.slice(0, at);
  }
  return text;
}

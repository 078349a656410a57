import { type TopKey, isPlausible, scalarText, topKeys } from "../../core/index.ts";

export interface NamedDocument {
  readonly text: string;
  /** False when the document forbids a model to call the skill by itself. */
  readonly advertised: boolean;
}

/**
 * The main document with `name: <slug>` in its frontmatter: agents disagree on whether the directory or the name
 * identifies a skill, so both must be the same (execenv.md 9.3). All other bytes stay where the block can be trusted;
 * a block that is no YAML and carries a name is replaced by one made from the stored description.
 */
export function withSkillName(content: string, slug: string, description: string | undefined): NamedDocument {
  const block = findBlock(content);
  if (block === null) return { text: `${synthesise(slug, description, false, "\n")}\n${content}`, advertised: true };
  const keys = topKeys(block.lines);
  const hidden = keys.some((key) => key.name === "disable-model-invocation" && scalarText(key, block.lines)?.toLowerCase() === "true");
  const named = keys.filter((key) => key.name === "name");
  const advertised = !hidden;
  const nameLine = `name: ${slug}`;
  if (named.length === 0) return { text: rebuild(content, block, [nameLine, ...block.lines]), advertised };
  const own = named[0];
  if (own !== undefined && named.length === 1 && isPlausible(block.lines)) {
    const lines = replaceName(own, block.lines, nameLine);
    if (lines !== null) return { text: rebuild(content, block, lines), advertised };
  }
  return { text: synthesise(slug, description, hidden, block.newline) + content.slice(block.end), advertised };
}

interface Block {
  readonly lines: readonly string[];
  /** Where the lines begin, and where the text after the closing line begins. */
  readonly start: number;
  readonly close: number;
  readonly end: number;
  readonly newline: "\n" | "\r\n";
}

/** The block between a `---` at byte 0 and the next line that is exactly `---`; null when there is no such pair. */
function findBlock(content: string): Block | null {
  const open = /^---(\r?\n)/.exec(content);
  if (open === null) return null;
  const start = open[0].length;
  for (let at = start; at <= content.length; ) {
    const next = content.indexOf("\n", at);
    const stop = next === -1 ? content.length : next;
    const line = content.slice(at, stop).replace(/\r$/, "");
    if (line === "---") {
      const inner = content.slice(start, at);
      const lines = inner === "" ? [] : inner.replace(/\n$/, "").split("\n");
      return { lines, start, close: at, end: next === -1 ? content.length : next + 1, newline: open[1] === "\r\n" ? "\r\n" : "\n" };
    }
    if (next === -1) return null;
    at = next + 1;
  }
  return null;
}

function rebuild(content: string, block: Block, lines: readonly string[]): string {
  const carriage = block.newline === "\r\n";
  const text = lines.map((line) => (carriage && !line.endsWith("\r") ? `${line}\r` : line)).join("\n");
  return `${content.slice(0, block.start)}${text}\n${content.slice(block.close)}`;
}

/** Puts the new line in the place of the old name and what belongs to it. Null when that cannot be done safely. */
function replaceName(key: TopKey, lines: readonly string[], nameLine: string): string[] | null {
  const rest = [...lines.slice(0, key.start), ...lines.slice(key.end)];
  const anchor = /^&([^\s,[\]{}]+)/.exec(key.value)?.[1];
  const comment = key.end === key.start + 1 ? /(\s#.*)$/.exec(key.tail)?.[1] ?? "" : "";
  const put = (others: readonly string[]): string[] => [...others.slice(0, key.start), nameLine + comment, ...others.slice(key.start)];
  if (anchor === undefined) return put(rest);
  // Aliases meant the old value: they get it themselves, since its anchor goes away with it.
  const old = scalarText(key, lines);
  if (old === undefined) return null;
  const alias = new RegExp(`(^|[\\s,\\[{:-])\\*${anchor.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}(?=$|[\\s,\\]}])`, "g");
  return put(rest.map((line) => line.replace(alias, (_match, before: string) => `${before}${JSON.stringify(old)}`)));
}

function synthesise(slug: string, description: string | undefined, hidden: boolean, newline: string): string {
  const text = (description ?? "").replace(/[\r\n]+/g, " ").trim();
  const lines = ["---", `name: ${slug}`];
  if (text !== "") lines.push(`description: "${text.replace(/\\/g, "\\\\").replace(/"/g, '\\"')}"`);
  if (hidden) lines.push("disable-model-invocation: true");
  lines.push("---");
  return lines.map((line) => line + newline).join("");
}

// Both lines are wire format: briefs of other releases are found by them (execenv.md 10.1).
const BEGIN = "<!-- BEGIN MULTICA-RUNTIME (auto-managed; do not edit) -->";
const END = "<!-- END MULTICA-RUNTIME -->";

/** The brief between its markers, each on a line of its own. */
export function markBrief(body: string): string {
  return `${BEGIN}\n${body.replace(/\n+$/, "")}\n${END}\n`;
}

/**
 * The content of a context file with this block in it. A missing file becomes the block; a file without one keeps every
 * byte and gets the block after exactly two line ends; an existing block is replaced in place.
 */
export function injectBlock(content: string | undefined, block: string): string {
  if (content === undefined) return block;
  const begin = content.indexOf(BEGIN);
  if (begin === -1) return `${content}\n\n${block}`;
  const end = content.indexOf(END, begin);
  // A block without its end reaches to the end of the file.
  const after = end === -1 ? content.length : end + END.length;
  const rest = content.startsWith("\n", after) ? after + 1 : after;
  return content.slice(0, begin) + block + content.slice(rest);
}

/**
 * The content without our block, byte for byte what it was before it was injected; null: nothing but the block was ever
 * in the file, so it is to be deleted. Undefined: there is no block in it (execenv.md 10.2).
 */
export function cutBlock(content: string): string | null | undefined {
  const begin = content.indexOf(BEGIN);
  if (begin === -1) return undefined;
  const end = content.indexOf(END, begin);
  const after = end === -1 ? content.length : end + END.length;
  const rest = content.slice(content.startsWith("\n", after) ? after + 1 : after);
  const before = content.slice(0, begin);
  if (before.endsWith("\n\n")) return before.slice(0, -2) + rest;
  return before + rest === "" ? null : before + rest;
}

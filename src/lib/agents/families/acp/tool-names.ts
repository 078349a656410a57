/** ACP's tool kinds in the product's words. */
const BY_KIND: Readonly<Record<string, string>> = {
  read: "read_file",
  edit: "edit_file",
  delete: "delete_file",
  move: "move_file",
  search: "search_files",
  execute: "terminal",
  think: "thinking",
  fetch: "web_fetch",
};

/**
 * The name a tool call is shown under. The kind decides where there is one: titles are free text (often the command
 * itself, colons included). Without a kind it is the title's word before a colon, or the title (agents.md 15.11).
 */
export function toolName(kind: string, title: string): string {
  const known = BY_KIND[kind];
  if (known !== undefined) return known;
  const word = /^([A-Za-z][\w .-]{0,40}):/.exec(title)?.[1] ?? title;
  const name = word.trim().toLowerCase().replace(/\s+/g, "_");
  return name === "" ? kind || "tool" : name.slice(0, 64);
}

import { scalarText, topKeys } from "./yaml-lines.ts";

/** Name and description from the head of a Markdown document; "" for what it does not say. */
export function documentHead(content: string): { readonly name: string; readonly description: string } {
  const match = /^\uFEFF?---\r?\n([\s\S]*?)(?:^|\n)---[ \t]*\r?(?:\n|$)/.exec(content);
  const lines = (match?.[1] ?? "").split("\n");
  const keys = topKeys(lines);
  const text = (name: string): string => {
    const key = keys.find((one) => one.name === name);
    if (key === undefined) return "";
    // A block of text below the key: its line breaks are not worth keeping here.
    if (/^[|>]/.test(key.value)) return lines.slice(key.start + 1, key.end).map((line) => line.trim()).join(" ").trim();
    return (scalarText(key, lines) ?? "").trim();
  };
  return { name: text("name"), description: text("description") };
}

import { asString, isObject } from "../../../core/index.ts";

/** The readable text of a tool call's content blocks; terminals and unknown blocks have none (agents.md 15.3). */
export function contentText(blocks: unknown): string {
  if (!Array.isArray(blocks)) return "";
  return blocks
    .map(blockText)
    .filter((text) => text !== "")
    .join("\n");
}

function blockText(block: unknown): string {
  if (!isObject(block)) return "";
  if (block.type === "content") return isObject(block.content) && block.content.type === "text" ? asString(block.content.text) : "";
  return block.type === "diff" ? diffText(block) : "";
}

function diffText(block: Readonly<Record<string, unknown>>): string {
  const path = asString(block.path);
  const now = Buffer.byteLength(asString(block.newText));
  const head = `--- ${path}\n+++ ${path}\n`;
  if (typeof block.oldText !== "string") return `${head}(new file, ${now} bytes)`;
  return `${head}(edited: ${Buffer.byteLength(block.oldText)} → ${now} bytes)`;
}

/** The text of one content block of a message; other kinds (images, resources) have none. */
export function messageText(content: unknown): string {
  return isObject(content) ? asString(content.text) : "";
}

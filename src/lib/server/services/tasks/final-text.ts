import { redactText } from "../../../core/index.ts";

/** Longest text the server writes in an agent's name, in characters. */
const MAX_COMMENT = 60_000;

/** An agent's final text as it is stored in a comment or chat: escapes that an agent wrote out are decoded, secrets redacted, length bounded. */
export function commentText(text: string): string {
  const decoded = text.replace(/\\(r\\n|n|t|r)/g, (_match, escape: string) => (escape === "t" ? "\t" : "\n"));
  const clean = redactText(decoded).trim();
  return clean.length <= MAX_COMMENT ? clean : `${clean.slice(0, MAX_COMMENT - 1)}…`;
}

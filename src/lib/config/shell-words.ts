import { badSetting } from "./durations.ts";

/**
 * Splits a text like a shell: blanks separate, single and double quotes group, a backslash takes the next character.
 * Nothing is expanded. Throws `bad_setting` for an unbalanced quote, naming `source` (daemon.md 3.2).
 */
export function splitShellWords(text: string, source: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quote: string | undefined;
  for (let at = 0; at < text.length; at += 1) {
    const char = text.charAt(at);
    if (quote !== "'" && char === "\\" && at + 1 < text.length) {
      at += 1;
      word = (word ?? "") + text.charAt(at);
    } else if (quote !== undefined) {
      if (char === quote) quote = undefined;
      else word = (word ?? "") + char;
    } else if (char === "'" || char === '"') {
      quote = char;
      word ??= "";
    } else if (/\s/.test(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else {
      word = (word ?? "") + char;
    }
  }
  if (quote !== undefined) throw badSetting(source, text, "balanced quotes");
  if (word !== undefined) words.push(word);
  return words;
}

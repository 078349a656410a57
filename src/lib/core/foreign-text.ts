const LINE_BREAK = /\r\n|[\n\r\v\f\u0085\u2028\u2029]/;

/**
 * Foreign text with `> ` before every line. Everything a terminal or a model may take for a line break counts as one:
 * otherwise a comment could step out of its quote and read like our own instructions (daemon.md 12).
 */
export function quoteText(text: string): string {
  return text
    .replace(/[\r\n]+$/, "")
    .split(LINE_BREAK)
    .map((line) => (line.trim() === "" ? ">" : `> ${line}`))
    .join("\n");
}

/** A person's or agent's name safe inside a sentence: one line, no control characters, Markdown escaped (execenv.md 10.5). */
export function safeName(name: string | null | undefined): string {
  return (name ?? "")
    .replace(/[\r\n\t\v\f\u0085\u2028\u2029]+/g, " ")
    .replace(/\p{Cc}/gu, "")
    .replace(/[*_`\\[\]<]/g, "\\$&")
    .trim();
}

/** A fenced block whose fence is longer than any run of backticks inside. */
export function fencedText(text: string, language = ""): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map((match) => match[0].length));
  const fence = "`".repeat(longest + 1);
  return `${fence}${language}\n${text.replace(/\n+$/, "")}\n${fence}`;
}

/** Every line of the text behind `> `, so that it cannot be read as our own instructions. */
export function quoteLines(text: string): string {
  return text
    .replace(/\r\n?/g, "\n")
    .replace(/\n+$/, "")
    .split("\n")
    .map((line) => (line === "" ? ">" : `> ${line}`))
    .join("\n");
}

/** A display name that cannot break out of its line or mark anything up (execenv.md 10.5). */
export function safeName(name: string): string {
  return name
    .replace(/[\r\n\t\v\f]+/g, " ")
    .replace(/[\u0000-\u001f\u007f-\u009f]/g, "")
    .replace(/[*_`\\[\]<]/g, "\\$&")
    .trim();
}

/** A fenced block whose fence is longer than any run of backticks inside. */
export function fenced(text: string, language = ""): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map((match) => match[0].length));
  const fence = "`".repeat(longest + 1);
  return `${fence}${language}\n${text.replace(/\n+$/, "")}\n${fence}`;
}

const LINE_BREAK = /\r\n|[\n\r\v\f\u0085\u2028\u2029]/;

/**
 * Foreign text with `> ` before every line. Everything a terminal or a model may take for a line break counts as one:
 * otherwise a comment could step out of its quote and read like our own instructions (daemon.md 12).
 */
export function quote(text: string): string {
  return text
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

/** The e-mail address when it cannot be mistaken for markup, else an empty string. */
export function safeEmail(email: string | null | undefined): string {
  const trimmed = (email ?? "").trim();
  return trimmed.includes("@") && !/[\s\p{Cc}\\`*<>[\]]/u.test(trimmed) ? trimmed : "";
}

/** An id or a timestamp as the server sent it, or an empty string when it could carry text or shell syntax. */
export function safeToken(token: string | null | undefined): string {
  const trimmed = (token ?? "").trim();
  return /^[A-Za-z0-9_.:+-]+$/.test(trimmed) ? trimmed : "";
}

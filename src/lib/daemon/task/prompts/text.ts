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

/** A name of a tool or a server, or an empty string when it is more than that. */
export function safeCode(value: unknown): string {
  return typeof value === "string" && /^[A-Za-z0-9_.-]+$/.test(value.trim()) ? value.trim() : "";
}

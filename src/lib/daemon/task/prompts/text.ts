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

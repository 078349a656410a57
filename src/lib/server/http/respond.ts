/** A JSON answer: UTF-8, ends with a newline, `Content-Length` set (server-api.md 1.2). */
export function json(value: unknown, status = 200, headers: Readonly<Record<string, string>> = {}): Response {
  const text = `${JSON.stringify(value)}\n`;
  return new Response(text, {
    status,
    headers: { ...headers, "content-type": "application/json", "content-length": String(Buffer.byteLength(text)) },
  });
}

/** 204 without a body. */
export function noContent(): Response {
  return new Response(null, { status: 204 });
}

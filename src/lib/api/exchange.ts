import type { IncomingHttpHeaders, IncomingMessage, RequestOptions } from "node:http";

/** Reads one header of an answer; `Headers` fits too. */
export interface HeaderReader {
  get(name: string): string | null;
}

export interface Exchange {
  readonly status: number;
  readonly headers: HeaderReader;
  readonly text: string;
}

export interface ExchangeOptions {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Sent as it is, with its length. */
  readonly body?: string | undefined;
  readonly signal: AbortSignal;
  /** Called with each complete line of an answer that is a stream of JSON lines, as it arrives. */
  readonly onLine?: ((line: string) => void) | undefined;
}

const MAX_REDIRECTS = 5;

/**
 * One HTTP request on Node's own client. `fetch` would cost more than the rest of a hot command together: it loads its
 * whole library at the first call. A GET follows redirects within its origin; a token never goes to another one.
 */
export async function exchange(url: string, options: ExchangeOptions): Promise<Exchange> {
  let current = url;
  for (let hop = 0; ; hop += 1) {
    const answer = await once(current, options);
    const target = answer.headers.get("location");
    if (answer.status < 300 || answer.status >= 400 || target === null || options.method !== "GET" || hop === MAX_REDIRECTS) return answer;
    const next = new URL(target, current);
    if (next.origin !== new URL(current).origin) return answer;
    current = next.href;
  }
}

function once(url: string, options: ExchangeOptions): Promise<Exchange> {
  const target = new URL(url);
  // Not by import: that reads every export of the module, and one of them loads the whole of fetch (20 ms).
  const send = process.getBuiltinModule(target.protocol === "https:" ? "node:https" : "node:http").request;
  const { method, headers, body, signal, onLine } = options;
  const length = body === undefined ? {} : { "Content-Length": String(Buffer.byteLength(body)) };
  const settings: RequestOptions = { method, headers: { ...headers, ...length }, signal };
  return new Promise((resolve, reject) => {
    const request = send(target, settings, (response) => {
      const isLines = onLine !== undefined && response.headers["content-type"]?.startsWith("application/x-ndjson") === true;
      readText(response, isLines ? onLine : undefined).then((text) => resolve({ status: response.statusCode ?? 0, headers: reader(response.headers), text }), reject);
    });
    request.on("error", reject);
    request.end(body);
  });
}

async function readText(response: IncomingMessage, onLine?: (line: string) => void): Promise<string> {
  const chunks: Buffer[] = [];
  let rest = "";
  for await (const chunk of response) {
    chunks.push(chunk as Buffer);
    if (onLine === undefined) continue;
    const lines = (rest + (chunk as Buffer).toString("utf8")).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) onLine(line);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function reader(headers: IncomingHttpHeaders): HeaderReader {
  return {
    get: (name) => {
      const value = headers[name.toLowerCase()];
      return value === undefined ? null : Array.isArray(value) ? value.join(", ") : value;
    },
  };
}

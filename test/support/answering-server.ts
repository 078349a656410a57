import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: unknown;
}

export interface Answer {
  readonly status?: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A real HTTP server on a free port that answers from `answers` (`"GET /path"` → answer or function) and remembers what it saw. */
export async function answeringServer(answers: Readonly<Record<string, Answer | ((request: SeenRequest) => Answer)>>) {
  const seen: SeenRequest[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const url = new URL(request.url ?? "/", "http://x");
      const text = Buffer.concat(chunks).toString();
      const one = { method: request.method ?? "", path: url.pathname, query: url.searchParams, headers: request.headers, body: bodyOf(request.headers["content-type"], text) };
      seen.push(one);
      const found = answers[`${one.method} ${one.path}`] ?? { status: 404, body: { error: "no such thing" } };
      const { status = 200, body = null, headers = {} } = typeof found === "function" ? found(one) : found;
      response.writeHead(status, { "content-type": "application/json", ...headers });
      response.end(typeof body === "string" ? body : JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port, url: `http://127.0.0.1:${port}`, seen };
}

function bodyOf(type: string | undefined, text: string): unknown {
  if (text === "") return null;
  return type?.startsWith("multipart/") === true ? text : (JSON.parse(text) as unknown);
}

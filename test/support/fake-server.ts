import { createServer, type IncomingMessage, type Server } from "node:http";
import { onTestFinished } from "vitest";

export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
  readonly headers: IncomingMessage["headers"];
}

/** A body, a status with a body, or `hang`: never answer. */
export type FakeAnswer = { readonly status?: number; readonly body?: unknown; readonly headers?: Record<string, string> } | "hang";
export type FakeRoute = FakeAnswer | ((request: SeenRequest) => FakeAnswer);

/** A server that says what the test wants: for what a healthy one never does. No socket: every upgrade is refused. */
export class FakeServer {
  readonly requests: SeenRequest[] = [];
  /** `METHOD /path` → answer; a `*` at the end of the path matches the rest. Unknown routes are a plain 404. */
  readonly routes = new Map<string, FakeRoute>();
  url = "";
  readonly #http: Server;

  constructor() {
    this.#http = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        const text = Buffer.concat(chunks).toString("utf8");
        const seen: SeenRequest = {
          method: request.method ?? "",
          path: (request.url ?? "").split("?")[0] ?? "",
          body: text === "" ? undefined : JSON.parse(text),
          headers: request.headers,
        };
        this.requests.push(seen);
        const answer = this.#answer(seen);
        if (answer === "hang") return;
        response.writeHead(answer.status ?? 200, { "content-type": "application/json", ...answer.headers });
        response.end(answer.body === undefined ? "" : JSON.stringify(answer.body));
      });
    });
    this.#http.on("upgrade", (_request, socket) => {
      // A daemon that stops cuts the handshake off.
      socket.on("error", () => undefined);
      socket.end("HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n\r\n");
    });
  }

  /** `METHOD /path` of every request so far, in order. */
  seen(prefix = ""): string[] {
    return this.requests.map(({ method, path }) => `${method} ${path}`).filter((line) => line.startsWith(prefix));
  }

  last(line: string): SeenRequest | undefined {
    return this.requests.findLast(({ method, path }) => `${method} ${path}` === line);
  }

  /** On any free port, or again on the one it had. */
  async listen(port = 0): Promise<this> {
    await new Promise<void>((resolve) => this.#http.listen(port, "127.0.0.1", resolve));
    const address = this.#http.address();
    this.url = `http://127.0.0.1:${address !== null && typeof address === "object" ? address.port : 0}`;
    onTestFinished(() => this.stop());
    return this;
  }

  async stop(): Promise<void> {
    this.#http.closeAllConnections();
    await new Promise<void>((resolve) => this.#http.close(() => resolve()));
  }

  #answer(request: SeenRequest): FakeAnswer {
    const line = `${request.method} ${request.path}`;
    const key = [...this.routes.keys()].find((pattern) => (pattern.endsWith("*") ? line.startsWith(pattern.slice(0, -1)) : line === pattern));
    const route = key === undefined ? undefined : this.routes.get(key);
    if (route === undefined) return { status: 404, body: "404 page not found" };
    return typeof route === "function" ? route(request) : route;
  }
}

/** A fake that behaves like a server of the base generation or, with `newer`, a later one: one workspace, runtimes by provider. */
export async function fakeServer(options: { readonly newer?: boolean; readonly workspaces?: readonly string[] } = {}): Promise<FakeServer> {
  const server = new FakeServer();
  const workspaces = (options.workspaces ?? ["w1"]).map((id) => ({ id, name: id, slug: id }));
  server.routes.set("POST /api/tokens/current/renew", { body: { expires_at: "2030-01-01T00:00:00Z", renewed: false } });
  server.routes.set("GET /api/workspaces", { body: workspaces });
  if (options.newer === true) server.routes.set("GET /api/daemon/workspaces", { body: workspaces, headers: { etag: 'W/"1"' } });
  server.routes.set("POST /api/daemon/register", ({ body }) => {
    const { workspace_id: workspaceId, runtimes } = body as { workspace_id: string; runtimes: { name: string; type: string; profile_id?: string }[] };
    const rows = runtimes.map((row) => ({ id: `${workspaceId}-${row.type}`, name: row.name, provider: row.type, status: "online", profile_id: row.profile_id ?? null }));
    return { body: { runtimes: rows, repos: [], repos_version: "" } };
  });
  server.routes.set("POST /api/daemon/deregister", { body: { status: "ok" } });
  server.routes.set("POST /api/daemon/heartbeat", { body: { status: "ok" } });
  server.routes.set("POST /api/daemon/runtimes/*", ({ path }) => ({ body: path.endsWith("/claim") ? { task: null } : { orphaned: 0, retried: 0 } }));
  if (options.newer === true) server.routes.set("POST /api/daemon/tasks/claim", { body: { tasks: [] } });
  return server.listen();
}

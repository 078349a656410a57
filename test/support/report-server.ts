import { type IncomingMessage, type ServerResponse, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

export interface ReportCall {
  readonly method: string;
  /** Last segment of the path: `messages`, `complete`, `recover-orphans`, `me` … */
  readonly route: string;
  /** The task or runtime; "" elsewhere. */
  readonly id: string;
  readonly body: unknown;
}

/** What happens to a call: a status instead of the normal answer, or the connection breaks before or after the work is done. */
export type Fate = "cut" | "cut-after" | { readonly status: number; readonly body?: unknown; readonly headers?: Record<string, string>; readonly after?: number } | undefined;

interface StoredMessage {
  readonly seq: number;
  readonly content?: string;
}

/** What a server without any protection against repeats keeps of one task. */
export interface StoredTask {
  status: string;
  /** In the order of their arrival, repeats included. */
  readonly messages: StoredMessage[];
  /** Every ending that was taken, repeats included. */
  readonly endings: { readonly kind: string; readonly body: Record<string, unknown> }[];
  usage: unknown;
  session: unknown;
}

/** A server that appends every message and takes every ending: what it ends up with is what the client made sure of. */
export class ReportServer {
  readonly calls: ReportCall[] = [];
  readonly tasks = new Map<string, StoredTask>();
  fate: (call: ReportCall, nth: number) => Fate | Promise<Fate> = () => undefined;
  port = 0;
  readonly #server = createServer((request, response) => void this.#serve(request, response));

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  task(id: string): StoredTask {
    const known = this.tasks.get(id);
    if (known !== undefined) return known;
    const task: StoredTask = { status: "running", messages: [], endings: [], usage: null, session: null };
    this.tasks.set(id, task);
    return task;
  }

  /** Routes of one task in order, questions left out. */
  order(id: string): string[] {
    return this.calls.filter((call) => call.id === id && call.method === "POST").map((call) => call.route);
  }

  listen(port = this.port): Promise<this> {
    return new Promise((resolve) => {
      this.#server.listen(port, "127.0.0.1", () => {
        this.port = (this.#server.address() as AddressInfo).port;
        resolve(this);
      });
    });
  }

  close(): Promise<void> {
    this.#server.closeAllConnections();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer);
    } catch {
      return;
    }
    const url = new URL(request.url ?? "/", "http://x");
    const parts = url.pathname.split("/");
    const text = Buffer.concat(chunks).toString();
    const call = { method: request.method ?? "", route: parts.at(-1) ?? "", id: parts.length > 5 ? (parts[4] ?? "") : "", body: text === "" ? null : (JSON.parse(text) as unknown) };
    this.calls.push(call);
    const nth = this.calls.filter((one) => one.route === call.route && one.method === call.method).length;
    const fate = await this.fate(call, nth);
    if (fate === "cut") return void request.socket.destroy();
    if (typeof fate === "object") {
      // Base servers store what came before the error.
      if (fate.after !== undefined) this.task(call.id).messages.push(...messagesOf(call).slice(0, fate.after));
      return reply(response, fate.status, fate.body ?? { error: "so it is" }, fate.headers);
    }
    const answer = this.#answer(call, url);
    if (fate === "cut-after") return void request.socket.destroy();
    reply(response, 200, answer);
  }

  #answer(call: ReportCall, url: URL): unknown {
    if (call.route === "me") return { id: "u", name: "Ada" };
    if (call.route === "recover-orphans") return { orphaned: 0, retried: 0 };
    const task = this.task(call.id);
    switch (call.route) {
      case "messages":
        if (call.method === "GET") {
          const since = Number(url.searchParams.get("since") ?? 0);
          return task.messages.filter((one) => one.seq > since).map((one) => ({ type: "text", ...one, task_id: call.id, created_at: "2026-01-01T00:00:00Z" }));
        }
        task.messages.push(...messagesOf(call));
        return { status: "ok" };
      case "usage":
        task.usage = call.body;
        return { status: "ok" };
      case "session":
        task.session = call.body;
        return null;
      case "complete":
      case "fail":
        task.endings.push({ kind: call.route, body: call.body as Record<string, unknown> });
        if (task.status === "running") task.status = call.route === "complete" ? "completed" : "failed";
        return { id: call.id, agent_id: "a", workspace_id: "w", status: task.status };
      default:
        return { status: task.status };
    }
  }
}

function messagesOf(call: ReportCall): StoredMessage[] {
  return (call.body as { messages: StoredMessage[] }).messages;
}

function reply(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(typeof body === "string" ? body : JSON.stringify(body));
}

/** Listens on a free port until the test ends. */
export async function reportServer(): Promise<ReportServer> {
  const server = await new ReportServer().listen(0);
  onTestFinished(() => server.close());
  return server;
}

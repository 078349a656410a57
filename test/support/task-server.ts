import { type IncomingMessage, type Server, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import { parseJson } from "../../src/lib/core/index.ts";

/** What a callback of a task is called here: the last segment of its path. */
export type Route = "resolve" | "wait-local-directory" | "prepare-lease" | "start" | "status" | "progress" | "messages" | "session" | "usage" | "complete" | "fail" | "cancel-ack";

export interface Call {
  readonly route: Route;
  /** The task the path names. */
  readonly taskId: string;
  readonly body: Record<string, unknown>;
}

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** Overrides the answer to one call, or leaves it (undefined). `nth` counts the calls of that route from 1. */
export type Script = (route: Route, nth: number, call: Call) => Answer | undefined | Promise<Answer | undefined>;

/** A real server for one task: it records every callback and keeps the task's state as the contract says. */
export class TaskServer {
  readonly calls: Call[] = [];
  state = "dispatched";
  /** Looks at each call before it is answered. */
  script: Script = () => undefined;
  readonly #server: Server;

  constructor(server: Server) {
    this.#server = server;
    server.on("request", (request, response) => {
      void this.#serve(request).then((answer) => {
        response.writeHead(answer.status, { "Content-Type": "application/json" });
        response.end(typeof answer.body === "string" ? answer.body : JSON.stringify(answer.body));
      });
    });
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Routes in the order they were called, without those that come at their own time. */
  order(ignore: readonly Route[] = ["prepare-lease", "status", "progress"]): Route[] {
    return this.calls.map((call) => call.route).filter((route) => !ignore.includes(route));
  }

  bodies(route: Route): Record<string, unknown>[] {
    return this.calls.filter((call) => call.route === route).map((call) => call.body);
  }

  /** Every transcript entry received, in order. */
  entries(): Record<string, unknown>[] {
    return this.bodies("messages").flatMap((body) => body["messages"] as Record<string, unknown>[]);
  }

  async #serve(request: IncomingMessage): Promise<Answer> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const parts = (request.url ?? "").split("/");
    const route = parts.at(-1) as Route;
    const body = (parseJson(Buffer.concat(chunks).toString()) ?? {}) as Record<string, unknown>;
    const call = { route, taskId: parts[parts.indexOf("tasks") + 1] ?? "", body };
    this.calls.push(call);
    const nth = this.calls.filter((one) => one.route === route).length;
    return (await this.script(route, nth, call)) ?? this.#answer(route);
  }

  #answer(route: Route): Answer {
    const from = (states: readonly string[], next: string): Answer => {
      if (states.includes(this.state)) this.state = next;
      return { status: 200, body: { id: "t", agent_id: "a", workspace_id: "w", status: this.state } };
    };
    switch (route) {
      case "start":
        if (this.state !== "dispatched" && this.state !== "waiting_local_directory") return { status: 400, body: { error: `task is ${this.state}` } };
        return from(["dispatched", "waiting_local_directory"], "running");
      case "wait-local-directory":
        return from(["dispatched"], "waiting_local_directory");
      case "complete":
        return from(["running"], "completed");
      case "fail":
        return from(["dispatched", "running"], "failed");
      case "prepare-lease":
        return from([], "");
      case "status":
        return { status: 200, body: { status: this.state } };
      case "session":
        return { status: 204, body: "" };
      default:
        return { status: 200, body: { status: "ok" } };
    }
  }
}

export async function startTaskServer(): Promise<TaskServer> {
  const server = createServer();
  const tasks = new TaskServer(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return tasks;
}

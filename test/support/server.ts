import { join } from "node:path";
import { onTestFinished } from "vitest";
import { type Clock, systemClock } from "../../src/lib/platform/index.ts";
import { silentLogger } from "../../src/lib/platform/logger.ts";
import { type RunningServer, type Thresholds, mintToken, startServer } from "../../src/lib/server/index.ts";
import { tempDir } from "./temp.ts";

export interface Reply {
  readonly status: number;
  readonly text: string;
  readonly headers: Headers;
  /** The JSON body; an empty object when there is none. */
  readonly body: Record<string, unknown>;
  /** The JSON body as a list. */
  readonly list: Record<string, unknown>[];
}

export interface Call {
  readonly token?: string | null;
  readonly workspace?: string | null;
  readonly headers?: Record<string, string>;
}

/** A real server on a free port with a token of its local user; requests go over real sockets. */
export class TestServer {
  readonly dataDir: string;
  readonly running: RunningServer;
  readonly token: string;
  workspaceId = "";
  userId = "";

  constructor(dataDir: string, running: RunningServer, token: string) {
    this.dataDir = dataDir;
    this.running = running;
    this.token = token;
  }

  /** A request as the local user in the local workspace, unless `call` says otherwise (null sends none). */
  async call(method: string, path: string, body?: unknown, call: Call = {}): Promise<Reply> {
    const token = call.token === undefined ? this.token : call.token;
    const workspace = call.workspace === undefined ? this.workspaceId : call.workspace;
    const response = await fetch(this.running.url + path, {
      method,
      redirect: "manual",
      headers: {
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        ...(workspace === null || workspace === "" ? {} : { "x-workspace-id": workspace }),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...call.headers,
      },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const parsed = parse(text);
    return {
      status: response.status,
      text,
      headers: response.headers,
      body: Array.isArray(parsed) ? {} : (parsed as Record<string, unknown>),
      list: Array.isArray(parsed) ? (parsed as Record<string, unknown>[]) : [],
    };
  }

  /** A request that must succeed; its body. */
  async ok(method: string, path: string, body?: unknown, call: Call = {}): Promise<Record<string, unknown>> {
    const reply = await this.call(method, path, body, call);
    if (reply.status >= 300) throw new Error(`${method} ${path}: ${reply.status} ${reply.text}`);
    return reply.body;
  }

  /** Registers one runtime per provider for a daemon; their ids in order. */
  async runtimes(...providers: string[]): Promise<string[]> {
    const answer = await this.ok("POST", "/api/daemon/register", {
      workspace_id: this.workspaceId,
      daemon_id: "daemon-1",
      device_name: "host",
      cli_version: "0.4.24",
      runtimes: providers.map((type) => ({ name: type, type, version: "1.0.0", status: "online" })),
    });
    return (answer["runtimes"] as { id: string }[]).map((runtime) => runtime.id);
  }

  /** An agent that everybody may start, on a runtime of its own. */
  async agent(name = "Dev", input: Record<string, unknown> = {}): Promise<{ id: string; runtimeId: string }> {
    const [runtimeId = ""] = await this.runtimes("codex");
    const agent = await this.ok("POST", "/api/agents", { name, runtime_id: runtimeId, visibility: "workspace", ...input });
    return { id: String(agent["id"]), runtimeId };
  }

  /** An issue; with an agent its task is claimed and started: the issue, the task and its token. */
  async startedIssue(agent: { id: string; runtimeId: string }, title = "Fix it"): Promise<{ id: string; taskId: string; token: string }> {
    const issue = await this.ok("POST", "/api/issues", { title, assignee_type: "agent", assignee_id: agent.id });
    return { id: String(issue["id"]), ...(await this.claim(agent.runtimeId)) };
  }

  /** Claims and starts the next task of a runtime. */
  async claim(runtimeId: string): Promise<{ taskId: string; token: string }> {
    const answer = await this.ok("POST", "/api/daemon/tasks/claim", { daemon_id: "daemon-1", runtime_ids: [runtimeId], max_tasks: 1 });
    const [task] = answer["tasks"] as { id: string; auth_token: string }[];
    if (task === undefined) throw new Error("nothing to claim");
    await this.ok("POST", `/api/daemon/tasks/${task.id}/start`, {});
    return { taskId: task.id, token: task.auth_token };
  }
}

/** Starts a server for the running test and stops it when the test ends. */
export async function testServer(options: { clock?: Clock; thresholds?: Partial<Thresholds>; host?: string } = {}): Promise<TestServer> {
  const clock = options.clock ?? systemClock;
  const dataDir = join(tempDir(), "server");
  const running = await startServer({
    dataDir,
    host: options.host ?? "127.0.0.1",
    port: 0,
    clock,
    logger: silentLogger,
    version: "1.2.3",
    ...(options.thresholds === undefined ? {} : { thresholds: options.thresholds }),
  });
  onTestFinished(() => running.stop());
  const { token } = await mintToken({ dataDir, name: "test", clock });
  const server = new TestServer(dataDir, running, token);
  server.userId = String((await server.ok("GET", "/api/me"))["id"]);
  const workspaces = await server.call("GET", "/api/workspaces", undefined, { workspace: null });
  server.workspaceId = String(workspaces.list[0]?.["id"]);
  return server;
}

function parse(text: string): unknown {
  try {
    return text === "" ? {} : JSON.parse(text);
  } catch {
    return {};
  }
}

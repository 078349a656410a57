import { join } from "node:path";
import { onTestFinished } from "vitest";
import { WebSocket } from "ws";
import { HeldClock } from "../../src/lib/platform/index.ts";
import { silentLogger } from "../../src/lib/platform/logger.ts";
import { type RunningServer, type Thresholds, mintToken, startServer } from "../../src/lib/server/index.ts";
import { tempDir } from "./temp.ts";
import { waitFor } from "./wait.ts";

export interface Answer {
  readonly status: number;
  readonly text: string;
  readonly headers: Headers;
  // The tests look into many shapes; what is not there fails the expectation.
  readonly body: Record<string, never> & { readonly [key: string]: unknown };
}

export interface CallOptions {
  readonly token?: string | null;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface SocketFrame {
  readonly type: string;
  readonly payload: Readonly<Record<string, unknown>>;
}

/** The embedded server on a real port, with a held clock and a real token, as daemons and the CLI see it. */
export class LiveServer {
  readonly url: string;
  readonly dataDir: string;
  readonly clock: HeldClock | null;
  readonly token: string;
  readonly workspaceId: string;

  constructor(facts: { url: string; dataDir: string; clock: HeldClock | null; token: string; workspaceId: string }) {
    this.url = facts.url;
    this.dataDir = facts.dataDir;
    this.clock = facts.clock;
    this.token = facts.token;
    this.workspaceId = facts.workspaceId;
  }

  async call(method: string, path: string, body?: unknown, options: CallOptions = {}): Promise<Answer> {
    const token = options.token === undefined ? this.token : options.token;
    const response = await fetch(`${this.url}${path}`, {
      method,
      headers: {
        "content-type": "application/json",
        "x-client-capabilities": "coalesced-comments-v1",
        ...(this.workspaceId === "" ? {} : { "x-workspace-id": this.workspaceId }),
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        ...options.headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(20_000),
    });
    const text = await response.text();
    return { status: response.status, text, headers: response.headers, body: parsed(text) as Answer["body"] };
  }

  async post<T = Record<string, unknown>>(path: string, body: unknown = {}, options: CallOptions = {}): Promise<T> {
    return this.#good(await this.call("POST", path, body, options)) as T;
  }

  async get<T = Record<string, unknown>>(path: string, options: CallOptions = {}): Promise<T> {
    return this.#good(await this.call("GET", path, undefined, options)) as T;
  }

  async put<T = Record<string, unknown>>(path: string, body: unknown, options: CallOptions = {}): Promise<T> {
    return this.#good(await this.call("PUT", path, body, options)) as T;
  }

  /** Registers one daemon with one runtime and returns the runtime's id. */
  async register(runtime: Readonly<Record<string, unknown>> = { name: "Codex (host)", type: "codex", version: "1.0.0", status: "online" }, daemonId = "D"): Promise<string> {
    const answer = await this.post<{ runtimes: { id: string }[] }>("/api/daemon/register", {
      workspace_id: this.workspaceId,
      daemon_id: daemonId,
      device_name: "host",
      cli_version: "0.4.24",
      runtimes: [runtime],
    });
    return answer.runtimes[0]?.id ?? "";
  }

  async agent(runtimeId: string, name = "Dev", more: Readonly<Record<string, unknown>> = {}): Promise<string> {
    return (await this.post<{ id: string }>("/api/agents", { name, runtime_id: runtimeId, visibility: "workspace", ...more })).id;
  }

  async issue(agentId: string, title = "Fix it", more: Readonly<Record<string, unknown>> = {}): Promise<string> {
    return (await this.post<{ id: string }>("/api/issues", { title, assignee_type: "agent", assignee_id: agentId, ...more })).id;
  }

  async claim(runtimeIds: readonly string[], max = 20): Promise<ClaimedTask[]> {
    const body = { daemon_id: "D", runtime_ids: runtimeIds, max_tasks: max };
    return (await this.post<{ tasks: ClaimedTask[] }>("/api/daemon/tasks/claim", body)).tasks;
  }

  /** Connects as a daemon; rejects with the status when the server refuses the upgrade. */
  connect(runtimeIds: readonly string[], token = this.token, headers: Readonly<Record<string, string>> = {}): Promise<LiveSocket> {
    const query = `runtime_ids=${encodeURIComponent(runtimeIds.join(","))}`;
    return openSocket(`${this.url.replace(/^http/, "ws")}/api/daemon/ws?${query}`, token, headers);
  }

  #good(answer: Answer): unknown {
    if (answer.status >= 400) throw new Error(`unexpected ${answer.status}: ${answer.text}`);
    return answer.body;
  }
}

export interface ClaimedTask {
  readonly id: string;
  readonly auth_token: string;
  readonly issue_id: string;
  readonly [key: string]: unknown;
}

export class LiveSocket {
  readonly frames: SocketFrame[] = [];
  readonly socket: WebSocket;
  pings = 0;
  closeCode: number | undefined;

  constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on("message", (data) => this.frames.push(JSON.parse(String(data)) as SocketFrame));
    socket.on("ping", () => (this.pings += 1));
    socket.on("close", (code) => (this.closeCode = code));
    socket.on("error", () => undefined);
    onTestFinished(() => socket.terminate());
  }

  send(type: string, payload: unknown): void {
    this.socket.send(JSON.stringify({ type, payload }));
  }

  next(type: string): Promise<SocketFrame> {
    return waitFor(`frame ${type}`, () => {
      const at = this.frames.findIndex((frame) => frame.type === type);
      return at === -1 ? undefined : this.frames.splice(at, 1)[0];
    });
  }

  closed(): Promise<number> {
    return waitFor("close", () => this.closeCode);
  }
}

export function openSocket(url: string, token: string | null, headers: Readonly<Record<string, string>> = {}): Promise<LiveSocket> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, { headers: { ...headers, ...(token === null ? {} : { authorization: `Bearer ${token}` }) } });
    const live = new LiveSocket(socket);
    socket.once("open", () => resolve(live));
    socket.once("unexpected-response", (_request, response) => {
      let text = "";
      response.on("data", (chunk) => (text += String(chunk)));
      response.on("end", () => reject(new Error(`${response.statusCode ?? 0} ${text.trim()}`)));
    });
    socket.once("error", reject);
  });
}

/** Starts a server that ends with the test. `thresholds` shorten or lengthen what the clock decides. */
export async function liveServer(options: { thresholds?: Partial<Thresholds>; dataDir?: string; skillCatalogue?: string } = {}): Promise<LiveServer & { server: RunningServer; clock: HeldClock }> {
  const clock = new HeldClock();
  const dataDir = options.dataDir ?? join(tempDir("multica-live-"), "server");
  const server = await startServer({
    dataDir,
    host: "127.0.0.1",
    port: 0,
    clock,
    logger: silentLogger,
    version: "0.0.0",
    ...(options.thresholds === undefined ? {} : { thresholds: options.thresholds }),
    ...(options.skillCatalogue === undefined ? {} : { skillCatalogue: options.skillCatalogue }),
  });
  onTestFinished(() => stopHeld(server, clock));
  const { token } = await mintToken({ dataDir, name: "test", clock });
  const live = new LiveServer({ url: server.url, dataDir, clock, token, workspaceId: await firstWorkspace(server.url, token) });
  return Object.assign(live, { server, clock });
}

export async function firstWorkspace(url: string, token: string): Promise<string> {
  const reader = new LiveServer({ url, dataDir: "", clock: null, token, workspaceId: "" });
  const [workspace] = await reader.get<{ id: string }[]>("/api/workspaces");
  return workspace?.id ?? "";
}

/** A stop whose deadlines lie on a held clock: time has to pass for what does not end by itself. */
export async function stopHeld(server: RunningServer, clock: HeldClock): Promise<void> {
  let stopped = false;
  const stopping = server.stop().finally(() => (stopped = true));
  await waitFor("server to stop", async () => {
    await clock.advance(1000);
    return stopped;
  });
  await stopping;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

import { type ChildProcess, spawn } from "node:child_process";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { UserApi } from "../../../src/lib/api/index.ts";
import { createHttp } from "../../../src/lib/api/ky-http.ts";
import { createUserApi } from "../../../src/lib/api/user-api.ts";
import { daemonPaths } from "../../../src/lib/daemon/files.ts";
import { findByEnv, freePort, sendSignal, systemClock } from "../../../src/lib/platform/index.ts";
import { mintToken } from "../../../src/lib/server/index.ts";
import { compiledEnv } from "../compiled.ts";
import { waitFor } from "../wait.ts";
import type { Fault } from "./daemon-entry.ts";
import { type Trouble, type Witness, readWitness } from "./promise.ts";
import { type CuttingProxy, cuttingProxy } from "./proxy.ts";

/** So long after its end, at most, a fault of a few seconds is noticed to be over: the daemon tries after 1, 3 and 7 s. */
const RETRY_MS = 4000;
const ROOT = resolve(import.meta.dirname, "../../..");

/** Server, proxy and daemon as processes of their own in one home, and the hands that break them. */
export class ChaosWorld {
  readonly home: string;
  readonly logs: string;
  readonly serverDir: string;
  readonly stateDir: string;
  readonly proxy: CuttingProxy;
  readonly #serverPort: number;
  readonly #env: Record<string, string>;
  #server: ChildProcess | null = null;
  #daemon: ChildProcess | null = null;
  #wanted = true;
  #hosted = false;
  starts = 0;
  /** When daemons died, epoch milliseconds. */
  readonly deaths: number[] = [];
  readonly #troubles: Trouble[] = [];
  api: UserApi | null = null;

  private constructor(home: string, serverPort: number, proxy: CuttingProxy) {
    this.home = home;
    this.logs = join(home, "agent-logs");
    this.serverDir = join(home, "server");
    this.stateDir = join(home, ".multica");
    this.proxy = proxy;
    this.#serverPort = serverPort;
    const bin = join(home, "bin");
    for (const dir of [this.logs, this.serverDir, this.stateDir, bin]) mkdirSync(dir, { recursive: true });
    const agent = join(bin, "echo-agent");
    const [wrapper, example] = [join(import.meta.dirname, "agent.mjs"), join(ROOT, "examples/agents/echo-agent/echo-agent.mjs")];
    writeFileSync(agent, `#!/bin/sh\nexec '${process.execPath}' '${wrapper}' '${this.logs}' '${example}' "$@"\n`);
    chmodSync(agent, 0o755);
    writeFileSync(join(home, ".gitconfig"), "[user]\n\tname = Test\n\temail = test@multica.invalid\n");
    this.#env = { HOME: home, MULTICA_HOME: this.stateDir, MULTICA_WORKSPACES_ROOT: join(home, "workspaces"), PATH: `${bin}:${process.env["PATH"] ?? ""}`, LANG: "C.UTF-8", ...compiledEnv() };
  }

  static async create(home: string, random: () => number): Promise<ChaosWorld> {
    const serverPort = await freePort();
    return new ChaosWorld(home, serverPort, await cuttingProxy(() => serverPort, random));
  }

  /** Server, account, agent and settings; the daemon is not started yet. Answers the agent's runtime through `ready`. */
  async setUp(concurrency: number, transport: "child" | "host"): Promise<void> {
    await this.startServer();
    const { token } = await mintToken({ dataDir: this.serverDir, name: "chaos", clock: systemClock });
    const http = { serverUrl: `http://127.0.0.1:${this.#serverPort}`, token, platform: "cli" as const, clientVersion: "0.4.24", os: "linux" };
    const workspaceId = (await createUserApi(createHttp(http)).workspaces())[0]?.id ?? "";
    this.api = createUserApi(createHttp({ ...http, workspaceId }));
    await this.api.createProfile(workspaceId, { display_name: "Example", protocol_family: "acp", command_name: "echo-agent", enabled: true });
    const settings = { token, server_url: `http://127.0.0.1:${this.proxy.port}`, workspace_id: workspaceId, max_concurrent_tasks: concurrency };
    writeFileSync(join(this.stateDir, "config.json"), JSON.stringify(settings), { mode: 0o600 });
    this.#env["MULTICA_DAEMON_MAX_CONCURRENT_TASKS"] = String(concurrency);
    this.#env["MULTICA_AGENT_TRANSPORT"] = transport;
    this.#hosted = transport === "host";
  }

  async startServer(): Promise<void> {
    if (this.#server !== null) return;
    const child = spawn(process.execPath, [join(import.meta.dirname, "server-entry.ts"), this.serverDir, String(this.#serverPort)], { env: this.#env, stdio: "ignore" });
    this.#server = child;
    await waitFor("the server to answer", async () => {
      if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}`);
      return (await fetch(`http://127.0.0.1:${this.#serverPort}/health`).catch(() => undefined)) !== undefined;
    }, 20_000);
  }

  async stopServer(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    await ended(this.#server, signal);
    this.#server = null;
  }

  /** Starts the daemon, and again whenever it ends by itself, as a service manager would. */
  startDaemon(): void {
    this.#wanted = true;
    this.starts += 1;
    const child = spawn(process.execPath, [join(import.meta.dirname, "daemon-entry.ts")], { env: this.#env, stdio: ["ignore", "ignore", "ignore", "ipc"] });
    this.#daemon = child;
    child.on("error", () => undefined);
    child.once("exit", () => {
      this.deaths.push(Date.now());
      if (this.#daemon !== child) return;
      this.#daemon = null;
      if (this.#wanted) setTimeout(() => this.#wanted && this.#daemon === null && this.startDaemon(), 200);
    });
  }

  async killDaemon(): Promise<void> {
    this.#wanted = false;
    await ended(this.#daemon, "SIGKILL");
    this.startDaemon();
  }

  /** An orderly stop; the daemon's exit code. */
  async stopDaemon(): Promise<number | null> {
    this.#wanted = false;
    return ended(this.#daemon, "SIGTERM");
  }

  fault(fault: Fault): void {
    if (this.#daemon?.connected !== true) return;
    const now = Date.now();
    this.#troubles.push({ from: now, until: now + fault.ms + RETRY_MS });
    this.#daemon.send(fault, () => undefined);
  }

  /** What the daemons wrote down of themselves. */
  witness(): Witness {
    return readWitness({ log: daemonPaths(this.stateDir).log, beats: join(this.home, "beats") }, { deaths: this.deaths, troubles: this.#troubles, hosted: this.#hosted });
  }

  get serverPid(): number | undefined {
    return this.#server?.pid;
  }

  /** Processes of this home that still live. */
  processes(): number[] {
    return findByEnv("MULTICA_HOME", this.stateDir).map((entry) => entry.pid);
  }

  async tearDown(): Promise<void> {
    this.#wanted = false;
    await ended(this.#daemon, "SIGKILL");
    await ended(this.#server, "SIGKILL");
    await this.proxy.close();
    for (const pid of this.processes()) sendSignal(pid, "SIGKILL");
  }
}

async function ended(child: ChildProcess | null, signal: "SIGTERM" | "SIGKILL"): Promise<number | null> {
  if (child === null) return null;
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  const over = new Promise<number | null>((resolve) => child.once("exit", (code) => resolve(code)));
  child.kill(signal);
  return over;
}

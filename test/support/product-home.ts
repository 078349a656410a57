import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type UserApi } from "../../src/lib/api/index.ts";
import { findByEnv, processIdentity, sendSignal, systemClock, terminateTree } from "../../src/lib/platform/index.ts";
import { runShort } from "../../src/lib/platform/process/run-short.ts";
import { userApi } from "../../src/lib/setup/embedded.ts";
import { type AgentRuntime, type Issue, type TaskRow, isTerminalState } from "../../src/lib/wire/index.ts";
import { waitFor } from "./wait.ts";

const root = join(import.meta.dirname, "..", "..");
const bin = join(root, "bin", "run.js");
const exampleAgent = join(root, "examples", "agents", "echo-agent", "echo-agent.mjs");

export interface CommandResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * The whole product in a home of its own: the real command line, server and daemon as real processes.
 * Whoever makes one calls `tearDown` at the end.
 */
export class ProductHome {
  readonly home: string;
  readonly env: Record<string, string>;
  readonly profile: string;

  constructor(options: { home: string; profile?: string; env?: Record<string, string> }) {
    this.home = options.home;
    this.profile = options.profile ?? "";
    mkdirSync(this.home, { recursive: true });
    writeFileSync(join(this.home, ".gitconfig"), "[user]\n\tname = Test\n\temail = test@multica.invalid\n[init]\n\tdefaultBranch = main\n");
    this.env = {
      PATH: process.env["PATH"] ?? "",
      HOME: this.home,
      MULTICA_HOME: join(this.home, ".multica"),
      MULTICA_WORKSPACES_ROOT: join(this.home, this.profile === "" ? "workspaces" : `workspaces-${this.profile}`),
      LANG: "C.UTF-8",
      ...options.env,
    };
  }

  get stateDir(): string {
    const base = join(this.home, ".multica");
    return this.profile === "" ? base : join(base, "profiles", this.profile);
  }

  get serverDir(): string {
    return join(this.stateDir, "server");
  }

  /** Runs one command to its end. */
  async run(args: readonly string[], options: { input?: string; env?: Record<string, string>; timeoutMs?: number } = {}): Promise<CommandResult> {
    const result = await runShort({
      command: process.execPath,
      args: [bin, ...(this.profile === "" ? [] : ["--profile", this.profile]), ...args],
      cwd: this.home,
      env: { ...this.env, ...options.env },
      timeoutMs: options.timeoutMs ?? 60_000,
      ...(options.input === undefined ? {} : { input: options.input }),
    });
    return { code: result.code, stdout: result.stdout, stderr: result.stderr };
  }

  /** Runs a command with `--json`, expects success and returns its document. */
  async json<T = Record<string, unknown>>(args: readonly string[], options: { input?: string } = {}): Promise<T> {
    const result = await this.run([...args, "--json"], options);
    if (result.code !== 0) throw new Error(`multica ${args.join(" ")} ended with ${result.code}:\n${result.stderr}\n${result.stdout}`);
    return JSON.parse(result.stdout) as T;
  }

  settings(): { server_url: string; token: string; workspace_id: string } {
    return JSON.parse(readFileSync(join(this.stateDir, "config.json"), "utf8")) as { server_url: string; token: string; workspace_id: string };
  }

  daemonInfo(): { pid: number; port: number } {
    return JSON.parse(readFileSync(join(this.stateDir, "daemon.json"), "utf8")) as { pid: number; port: number };
  }

  serverInfo(): { pid: number; port: number; url: string } {
    return JSON.parse(readFileSync(join(this.serverDir, "server.json"), "utf8")) as { pid: number; port: number; url: string };
  }

  api(): UserApi {
    const { server_url, token, workspace_id } = this.settings();
    return userApi(server_url, token, workspace_id);
  }

  /** Server on any free port, account, settings; with `daemon` also the daemon on any free port. */
  async setUp(options: { daemon?: boolean } = {}): Promise<void> {
    await this.json(["setup", "embedded", "--port", "0", "--no-daemon"]);
    if (options.daemon ?? true) await this.json(["daemon", "start", "--port", "0"]);
  }

  /** An executable script in the home's `bin` directory that starts the example agent. */
  exampleAgentLauncher(name = "echo-agent"): string {
    const path = join(this.home, "bin", name);
    mkdirSync(join(this.home, "bin"), { recursive: true });
    writeFileSync(path, `#!/bin/sh\nexec '${process.execPath}' '${exampleAgent}' "$@"\n`);
    chmodSync(path, 0o755);
    return path;
  }

  /** A runtime profile for the example agent, registered by the running daemon. */
  async exampleRuntime(name = "Example"): Promise<AgentRuntime> {
    const api = this.api();
    const workspaceId = this.settings().workspace_id;
    const profile = await api.createProfile(workspaceId, { display_name: name, protocol_family: "acp", command_name: "echo-agent", enabled: false });
    await this.json(["runtime", "profile", "set-path", profile.id, "--path", this.exampleAgentLauncher()]);
    await api.updateProfile(workspaceId, profile.id, { enabled: true });
    return waitFor("the example runtime to be registered", async () =>
      (await api.runtimes()).find((runtime) => runtime.profile_id === profile.id && runtime.status === "online"), 30_000);
  }

  /** A bare repository with one commit; its URL is added to the workspace. */
  async repository(name = "demo", files: Record<string, string> = { "README.md": "# Demo\n" }): Promise<string> {
    const work = join(this.home, `${name}-work`);
    mkdirSync(work, { recursive: true });
    for (const [path, text] of Object.entries(files)) writeFileSync(join(work, path), text);
    const git = (cwd: string, ...args: string[]): string => execFileSync("git", args, { cwd, env: this.env, encoding: "utf8" });
    git(work, "init", "--quiet", "--initial-branch=main");
    git(work, "add", "--all");
    git(work, "commit", "--quiet", "--message", "First");
    git(this.home, "clone", "--quiet", "--bare", work, `${name}.git`);
    const url = pathToFileURL(join(this.home, `${name}.git`)).href;
    const api = this.api();
    const workspace = await api.workspace(this.settings().workspace_id);
    await api.updateWorkspace(workspace.id, { repos: [...(workspace.repos ?? []), { url }] });
    return url;
  }

  /** The newest task of an issue once it has ended (`attempt` picks a retry). */
  waitForTask(issue: Issue, accept: (task: TaskRow) => boolean = (task) => isTerminalState(task.status), timeoutMs = 60_000): Promise<TaskRow> {
    return waitFor(`the task of ${issue.identifier}`, async () => (await this.api().taskRuns(issue.id)).find(accept), timeoutMs);
  }

  /** Ends what this home still runs: daemon, server, and every process that bears one of its tasks. */
  async tearDown(): Promise<void> {
    for (const file of [join(this.stateDir, "daemon.json"), join(this.serverDir, "server.json")]) {
      const pid = pidIn(file);
      if (pid === undefined || processIdentity(pid) === null) continue;
      sendSignal(pid, "SIGTERM");
      // A daemon with running tasks lets them finish unless it is asked again.
      await waitFor(`process ${pid} to end`, () => processIdentity(pid) === null, 700).catch(() => sendSignal(pid, "SIGTERM"));
      await waitFor(`process ${pid} to end`, () => processIdentity(pid) === null, 15_000).catch(async () => {
        await terminateTree({ pid, graceMs: 500, clock: systemClock });
      });
    }
    for (const entry of findByEnv("MULTICA_HOME", this.env["MULTICA_HOME"] ?? "")) {
      await terminateTree({ pid: entry.pid, graceMs: 500, clock: systemClock });
    }
  }
}

function pidIn(file: string): number | undefined {
  try {
    return (JSON.parse(readFileSync(file, "utf8")) as { pid?: number }).pid;
  } catch {
    return undefined;
  }
}

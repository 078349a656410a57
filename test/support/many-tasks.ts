import { execFile } from "node:child_process";
import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { rm } from "node:fs/promises";
import { promisify } from "node:util";
import { expect } from "vitest";
import { createLocalPortClient } from "../../src/lib/api/local-port.ts";
import type { DaemonConfig } from "../../src/lib/config/index.ts";
import type { Limits } from "../../src/lib/daemon/limits.ts";
import type { DaemonContext } from "../../src/lib/daemon/context.ts";
import { configFor, type RunningDaemon, testDaemon, testHome, testServer, type TestHome, type TestServer } from "./daemon.ts";
import { gatedSsh } from "./gated-ssh.ts";
import { makeRemote, testGit, type TestGit } from "./git.ts";
import { tempDir } from "./temp.ts";
import { waitFor } from "./wait.ts";

export const taskId = (at: number): string => `01980000-0000-7000-8000-${String(at).padStart(12, "0")}`;

export interface World {
  readonly server: TestServer;
  readonly git: TestGit;
  readonly dir: string;
}

export async function world(): Promise<World> {
  return { server: await testServer(), git: testGit(tempDir()), dir: tempDir() };
}

export interface Worker {
  readonly daemon: RunningDaemon;
  readonly ctx: DaemonContext;
  /** One checkout by a task of its own, as its agent would ask for it. */
  checkout(at: number, url: string, patch?: Record<string, unknown>): Promise<{ path: string; branch_name: string } & Record<string, unknown>>;
  workdir(at: number): string;
  /** Lets a task's token `mat_<number>` in until the returned function is called. */
  enrol(at: number): () => void;
}

/** A daemon, and as many tasks on it as are asked for; `env` goes to its git. */
export async function worker({ server, dir }: World, home: TestHome, env: Record<string, string> = {}, config: Partial<DaemonConfig> = {}, limits: Partial<Limits> = {}): Promise<Worker> {
  const contexts: DaemonContext[] = [];
  const before = new Set((await server.api.runtimes()).map((runtime) => runtime.id));
  const daemon = await testDaemon(home, configFor(home, server, "", { workspacesRoot: join(dir, "workspaces"), ...config }), {
    env: { ...home.env, ...env },
    limits,
    runTask: (context) => {
      contexts.push(context);
      return Promise.resolve();
    },
  });
  const runtime = (await server.api.runtimes()).find(({ id }) => !before.has(id));
  const agent = await server.api.createAgent({ name: `Ada ${home.home}`, runtime_id: runtime?.id ?? "" });
  await server.api.createIssue({ title: home.home, assignee_type: "agent", assignee_id: agent.id });
  const ctx = await waitFor("a context", () => contexts[0]);
  const workdir = (at: number): string => join(dir, "tasks", String(at));
  const enrol = (at: number): (() => void) => {
    mkdirSync(workdir(at), { recursive: true });
    return ctx.credentials.register(`mat_${at}`, { workspaceId: server.workspaceId, agentId: agent.id, agentName: "Ada", taskId: taskId(at), workdir: workdir(at), envRoot: workdir(at) });
  };
  return {
    daemon,
    ctx,
    workdir,
    enrol,
    checkout: async (at, url, patch = {}) => {
      enrol(at);
      const client = createLocalPortClient({ port: daemon.port, token: `mat_${at}` });
      return client.repoCheckout({ url, workspace_id: server.workspaceId, task_id: taskId(at), workdir: workdir(at), agent_name: "Ada", ...patch });
    },
  };
}

export function gitEnv(git: TestGit): Record<string, string> {
  return { GIT_CONFIG_GLOBAL: git.env["GIT_CONFIG_GLOBAL"] ?? "", GIT_CONFIG_NOSYSTEM: "1" };
}

export async function register(server: TestServer, url: string): Promise<void> {
  await server.api.updateWorkspace(server.workspaceId, { repos: [{ url }] });
}

/** A repository of this many files whose clones are counted: each goes through a script of ours. */
function countedRemote({ git, dir }: World, files: number): { url: string; env: Record<string, string>; clones: () => number; path: string; open: () => void } {
  const path = join(dir, "remotes", "big");
  const content: Record<string, string> = {};
  for (let at = 0; at < files; at += 1) content[`src/d${at % 50}/f${at}.txt`] = `file ${at}\n${"x".repeat(200)}\n`;
  makeRemote(git, path, "main", content);
  mkdirSync(join(dir, "ssh"));
  const ssh = gatedSsh(join(dir, "ssh"));
  return { url: `ssh://host${path}`, env: { ...gitEnv(git), ...ssh.env }, clones: ssh.calls, path, open: ssh.open };
}

const exec = promisify(execFile);

/** Seconds for a clone and twenty worktrees, one after another, by git alone. */
async function byHand({ git, dir }: World, path: string): Promise<number> {
  const bare = join(dir, "by-hand.git");
  const env = { ...git.env };
  await exec("sync");
  const start = performance.now();
  await exec("git", ["clone", "-q", "--bare", `file://${path}`, bare], { env });
  for (let at = 0; at < 20; at += 1) await exec("git", ["-C", bare, "worktree", "add", "-q", "-b", `t${at}`, join(dir, "hand", String(at)), "HEAD"], { env });
  return (performance.now() - start) / 1000;
}

/** Twenty tasks on so many daemons that share a root, all asking at once for a repository that nobody has cloned. */
export async function twentyTasks(files: number, daemons: number): Promise<{ took: number; hand: number }> {
  const at = await world();
  const { url, env, clones, path, open } = countedRemote(at, files);
  open();
  const workers: Worker[] = [];
  for (let count = 0; count < daemons; count += 1) workers.push(await worker(at, testHome(), env));
  // Listed only now: no daemon has cloned it in the background.
  await register(at.server, url);
  const hand = await byHand(at, path);
  await exec("sync");
  const start = performance.now();
  const ask = async (task: number) => workers[task % daemons]?.checkout(task, url);
  const results = await Promise.all(Array.from({ length: 20 }, (_, task) => ask(task)));
  const took = (performance.now() - start) / 1000;
  expect(new Set(results.map((result) => result?.path)).size).toBe(20);
  expect(new Set(results.map((result) => result?.branch_name)).size).toBe(20);
  for (const result of results) expect(readdirSync(join(result?.path ?? "", "src"))).toHaveLength(50);
  const bare = workers[0]?.ctx.repoCache.cachePath(at.server.workspaceId, url) ?? "";
  expect(readdirSync(join(bare, "worktrees"))).toHaveLength(20);
  expect(readdirSync(join(bare, "..")).filter((name) => name.includes(".tmp-"))).toEqual([]);
  // One clone; every further connection is a daemon's look at what has changed since.
  expect(clones()).toBeLessThanOrEqual(1 + daemons);
  // Here, not in the clean-up: hundreds of thousands of files take longer than that may.
  for (const name of ["hand", "tasks"]) await rm(join(at.dir, name), { recursive: true });
  return { took, hand };
}

import { existsSync, mkdirSync, readFileSync, statSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { execFileSync } from "node:child_process";
import { beforeEach, describe, expect, it } from "vitest";
import type { DaemonContext } from "../../../src/lib/daemon/context.ts";
import { configFor, type RunningDaemon, testDaemon, type TestHome, testHome, type TestServer, testServer } from "../../support/daemon.ts";
import { localRequest } from "../../support/local-request.ts";
import { waitFor } from "../../support/wait.ts";

const TASK = "01980000-0000-7000-8000-000000000001";
const OTHER_TASK = "01980000-0000-7000-8000-000000000002";
const TOKEN = "mat_first";
const OTHER_TOKEN = "mat_second";

interface Place {
  readonly server: TestServer;
  readonly home: TestHome;
  readonly daemon: RunningDaemon;
  readonly workdir: string;
  readonly otherWorkdir: string;
  readonly ctx: DaemonContext;
}

/** A daemon with two tasks whose tokens are valid, as the pipeline registers them. */
async function place(): Promise<Place> {
  const server = await testServer();
  const home = testHome();
  const contexts: DaemonContext[] = [];
  const daemon = await testDaemon(home, configFor(home, server), {
    runTask: (context) => {
      contexts.push(context);
      return Promise.resolve();
    },
  });
  const runtime = (await server.api.runtimes())[0];
  const agent = await server.api.createAgent({ name: "Ada", runtime_id: runtime?.id ?? "" });
  await server.api.createIssue({ title: "x", assignee_type: "agent", assignee_id: agent.id });
  const ctx = await waitFor("a context", () => contexts[0]);
  const [workdir, otherWorkdir] = [join(home.home, "t1", "workdir"), join(home.home, "t2", "workdir")];
  for (const dir of [workdir, otherWorkdir]) mkdirSync(dir, { recursive: true });
  const common = { workspaceId: server.workspaceId, agentId: agent.id };
  ctx.credentials.register(TOKEN, { ...common, taskId: TASK, agentName: "Ada", workdir, envRoot: join(home.home, "t1") });
  ctx.credentials.register(OTHER_TOKEN, { ...common, taskId: OTHER_TASK, agentName: "Bob", workdir: otherWorkdir, envRoot: join(home.home, "t2") });
  return { server, home, daemon, workdir, otherWorkdir, ctx };
}

let at: Place;
beforeEach(async () => {
  at = await place();
});

const checkout = (changes: Record<string, unknown> = {}, token: string | undefined = TOKEN, headers: Record<string, string> = {}): ReturnType<typeof localRequest> =>
  localRequest(at.daemon.port, "POST", "/repo/checkout", {
    body: JSON.stringify({ url: "file:///nowhere.git", workspace_id: at.server.workspaceId, task_id: TASK, workdir: at.workdir, agent_name: "x", ...changes }),
    headers,
    ...(token === undefined ? {} : { token }),
  });

describe("access to the local port", () => {
  it("answers health to everybody on this machine and shows no secret", async () => {
    const answer = await localRequest(at.daemon.port, "GET", "/health");
    expect(answer.status).toBe(200);
    expect(answer.text).not.toContain(at.daemon.operatorToken());
    expect(answer.text).not.toContain(at.server.token);
    expect(JSON.parse(answer.text)).toMatchObject({ profile: "", status: "running" });
  });

  it.each(["/health", "/shutdown", "/repo/checkout", "/execenv/active"])("refuses an Origin and a foreign Host on %s", async (path) => {
    const method = path === "/health" || path === "/execenv/active" ? "GET" : "POST";
    const token = at.daemon.operatorToken();
    for (const headers of [{ origin: `http://localhost:${at.daemon.port}` }, { origin: "null" }, { host: "evil.test" }, { host: `127.0.0.1:${at.daemon.port + 1}` }]) {
      expect((await localRequest(at.daemon.port, method, path, { headers, token })).status).toBe(403);
    }
    for (const host of [`127.0.0.1:${at.daemon.port}`, "localhost", `[::1]:${at.daemon.port}`]) {
      expect((await localRequest(at.daemon.port, "GET", "/health", { headers: { host } })).status).toBe(200);
    }
  });

  it("answers 405 to a wrong method and 404 to an unknown path, and nothing happens", async () => {
    expect((await localRequest(at.daemon.port, "GET", "/shutdown", { token: at.daemon.operatorToken() })).status).toBe(405);
    expect((await localRequest(at.daemon.port, "POST", "/health")).status).toBe(405);
    expect((await localRequest(at.daemon.port, "GET", "/nothing")).status).toBe(404);
    expect((await at.daemon.health()).status).toBe("running");
  });

  it("keeps the operator token to its owner", () => {
    expect(statSync(join(at.daemon.stateDir, "daemon.token")).mode & 0o777).toBe(0o600);
    expect(readFileSync(join(at.daemon.stateDir, "daemon.token"), "utf8").trim()).toMatch(/^[0-9a-f]{64}$/);
  });
});

describe("POST /shutdown", () => {
  it("is the operator's only", async () => {
    expect((await localRequest(at.daemon.port, "POST", "/shutdown")).status).toBe(401);
    expect((await localRequest(at.daemon.port, "POST", "/shutdown", { token: "wrong" })).status).toBe(401);
    expect((await localRequest(at.daemon.port, "POST", "/shutdown", { token: TOKEN })).status).toBe(403);
    expect((await at.daemon.health()).status).toBe("running");
  });

  it("answers before the listener closes", async () => {
    const answer = await localRequest(at.daemon.port, "POST", "/shutdown", { token: at.daemon.operatorToken() });
    expect(answer).toMatchObject({ status: 200, text: JSON.stringify({ status: "shutting down", exec_staying: 0 }) });
    await at.daemon.done;
    await expect(localRequest(at.daemon.port, "GET", "/health")).rejects.toThrow(/ECONNREFUSED/);
  });
});

describe("GET /execenv/active", () => {
  it("shows a task its own root and the operator all", async () => {
    const [one, two] = [join(at.home.home, "t1"), join(at.home.home, "t2")];
    at.ctx.activeRoots.mark(one);
    at.ctx.activeRoots.mark(two);
    const ask = async (token?: string): Promise<unknown> => {
      const answer = await localRequest(at.daemon.port, "GET", "/execenv/active", token === undefined ? {} : { token });
      return answer.status === 200 ? JSON.parse(answer.text) : answer.status;
    };
    expect(await ask()).toBe(401);
    expect(await ask(TOKEN)).toEqual({ env_roots: [one], stores: [] });
    expect(await ask(at.daemon.operatorToken())).toEqual({ env_roots: [one, two], stores: [] });
  });
});

describe("POST /repo/checkout", () => {
  it("needs the token of a running task", async () => {
    for (const token of [undefined, "mat_ended", at.daemon.operatorToken(), at.server.token]) {
      const answer = await localRequest(at.daemon.port, "POST", "/repo/checkout", { body: "{}", ...(token === undefined ? {} : { token }) });
      expect(answer).toMatchObject({ status: 401, text: "repo checkout requires an active task credential\n" });
    }
  });

  it("refuses another task, another workspace and another task's directory", async () => {
    const mismatch = "repo checkout task context does not match the active task\n";
    expect(await checkout({ task_id: OTHER_TASK })).toMatchObject({ status: 403, text: mismatch });
    expect(await checkout({ workspace_id: TASK })).toMatchObject({ status: 403, text: mismatch });
    const foreign = "repo checkout workdir is not owned by the active task\n";
    expect(await checkout({ workdir: at.otherWorkdir })).toMatchObject({ status: 403, text: foreign });
    expect(await checkout({ workdir: join(at.workdir, "missing") })).toMatchObject({ status: 403, text: foreign });
    symlinkSync(at.otherWorkdir, join(at.workdir, "out"));
    expect(await checkout({ workdir: join(at.workdir, "out") })).toMatchObject({ status: 403, text: foreign });
  });

  it("checks the body: JSON, fields, mode, size, type", async () => {
    const raw = (body: string, headers: Record<string, string> = {}): ReturnType<typeof localRequest> =>
      localRequest(at.daemon.port, "POST", "/repo/checkout", { body, token: TOKEN, headers });
    expect(await raw("not json")).toMatchObject({ status: 400, text: "invalid request body: not JSON\n" });
    expect(await checkout({ url: "  " })).toMatchObject({ status: 400, text: "url is required\n" });
    expect(await checkout({ workspace_id: "" })).toMatchObject({ status: 400, text: "workspace_id is required\n" });
    expect(await checkout({ workdir: "" })).toMatchObject({ status: 400, text: "workdir is required\n" });
    expect(await checkout({ checkout_mode: "x" })).toMatchObject({ status: 400, text: "invalid checkout_mode\n" });
    expect((await raw(JSON.stringify({ url: "x".repeat(2 << 20) }))).status).toBe(413);
    expect((await raw("{}", { "content-type": "text/plain" })).status).toBe(415);
  });

  it("checks a listed repository out on the task's branch, and refuses one that is not listed", async () => {
    const source = join(at.home.home, "demo-src");
    mkdirSync(source);
    const git = (...args: string[]): void => void execFileSync("git", ["-c", "user.name=T", "-c", "user.email=t@e", "-c", "init.defaultBranch=main", ...args], { cwd: source, env: at.home.env });
    git("init", "--quiet");
    git("commit", "--quiet", "--allow-empty", "-m", "first");
    const url = pathToFileURL(source).href;
    expect(await checkout({ url })).toMatchObject({ status: 400, text: "repo is not configured for this workspace\n" });
    await at.server.api.updateWorkspace(at.server.workspaceId, { repos: [{ url }] });
    mkdirSync(join(at.workdir, "sub"));
    const answer = await checkout({ url, workdir: join(at.workdir, "sub"), agent_name: "Mallory", retry_busy: true });
    expect(answer.status, answer.text).toBe(200);
    const body = JSON.parse(answer.text) as { path: string; branch_name: string };
    expect(body.path).toBe(join(at.workdir, "sub", "demo-src"));
    expect(body.branch_name).toMatch(/ada/);
    expect(body.branch_name).not.toMatch(/mallory/i);
    expect(existsSync(join(body.path, ".git"))).toBe(true);
  });
});

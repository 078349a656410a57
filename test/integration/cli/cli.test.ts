import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { type AddressInfo, connect, createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { freePort } from "../../../src/lib/platform/index.ts";
import { createLocalPortClient } from "../../../src/lib/api/local-port.ts";
import { answeringServer } from "../../support/answering-server.ts";
import { runCli } from "../../support/cli.ts";
import { tempDir } from "../../support/temp.ts";

const ISSUE = { id: "0190d3c2-8d2a-7000-8000-0000000000ab", identifier: "MUL-1", title: "T", status: "todo", priority: "none" };
const MAT = `mat_${"a".repeat(32)}`;
const MUL = `mul_${"b".repeat(32)}`;
const WS = "0190d3c2-8d2a-7000-8000-00000000000f";

describe("streams and exit codes", () => {
  it("prints one JSON document and nothing else", async () => {
    const server = await answeringServer({ "GET /api/issues/MUL-1": { body: ISSUE } });
    const env = { MULTICA_TOKEN: MUL, MULTICA_SERVER_URL: server.url, FORCE_COLOR: "1", MULTICA_CONTENT_TYPE: "json" };
    const result = await runCli(["issue", "get", "MUL-1"], { home: tempDir(), env });
    expect([result.code, result.stderr]).toEqual([0, ""]);
    expect(result.stdout).toBe(`${JSON.stringify(ISSUE, null, 2)}\n`);
    expect(server.seen[0]?.headers).toMatchObject({ authorization: `Bearer ${MUL}`, "x-client-platform": "cli", "x-client-version": "0.4.24" });
  });

  it.each([
    ["7", 7000],
    [new Date(Date.now() + 60_000).toUTCString(), 30_000],
    ["Wed, 21 Oct 2015 07:28:00 GMT", 0],
    ["soon", 1000],
    [undefined, 1000],
    ["900", 30_000],
  ])("understands the pause %j (repocache.md 20, case 75)", async (header, expected) => {
    const daemon = await answeringServer({ "POST /repo/checkout": { status: 503, body: "busy", headers: { "X-Multica-Retryable": "repo-busy", ...(header === undefined ? {} : { "Retry-After": header }) } } });
    const client = createLocalPortClient({ port: daemon.port, token: MAT });
    await expect(client.repoCheckout({ url: "u" })).rejects.toMatchObject({ code: "repo_busy", details: { retryAfterMs: expected } });
  });

  it.each([
    [400, 5],
    [401, 3],
    [403, 3],
    [404, 4],
    [409, 7],
    [500, 1],
  ])("ends with %i → %i, stdout empty, one document with --json", async (status, exit) => {
    const server = await answeringServer({ "GET /api/issues/MUL-1": { status, body: { error: "Because of that." } } });
    const env = { MULTICA_TOKEN: MUL, MULTICA_SERVER_URL: server.url };
    const plain = await runCli(["issue", "get", "MUL-1", "--output", "json"], { home: tempDir(), env });
    expect([plain.code, plain.stdout]).toEqual([exit, ""]);
    expect(plain.stderr).toMatch(/^Error: /);
    const json = await runCli(["issue", "get", "MUL-1", "--json"], { home: tempDir(), env });
    expect([json.code, (JSON.parse(json.stdout) as { error: { exit_code: number } }).error.exit_code]).toEqual([exit, exit]);
  });

  it("tells an absent server, a missing sign-in and an unreadable settings file apart", async () => {
    const home = tempDir();
    const url = `http://127.0.0.1:${await freePort()}`;
    const refused = await runCli(["issue", "get", "MUL-1"], { home, env: { MULTICA_TOKEN: MUL, MULTICA_SERVER_URL: url } });
    expect([refused.code, refused.stderr.split("\n")[0]]).toEqual([6, `Error: cannot connect to the server (${url})`]);
    expect((await runCli(["issue", "list"], { home })).code).toBe(3);
    mkdirSync(join(home, ".multica"));
    const path = join(home, ".multica", "config.json");
    writeFileSync(path, "{ broken");
    const broken = await runCli(["issue", "list"], { home });
    expect(broken.code).toBe(1);
    expect(broken.stderr).toContain(path);
    expect(readFileSync(path, "utf8")).toBe("{ broken");
  });

  it.each([
    [["issue", "get"], "missing argument: <issue>"],
    [["issue", "get", "MUL-1", "--bogus"], "unknown flag --bogus"],
    [["isue", "get"], "unknown command: isue get"],
    [["issue", "gett"], "unknown command: issue gett"],
    [["version", "foo"], "unexpected argument: foo"],
    [["version", "--json", "--output", "table"], "exclude each other"],
    [["issue", "list", "--limit", "x"], "--limit: expected an integer"],
    [["issue", "list", "--sort", "colour"], "--sort must be one of"],
    [["issue", "list", "--direction", "asc"], "--direction needs a --sort"],
    [["issue", "create"], "missing flag --title"],
    [["issue", "get", "MUL-1", "--profile", "a", "--profile", "b"], "--profile"],
    [["issue", "update", "MUL-1", "--no-start"], "nothing to change"],
    [["daemon", "start", "--foreground=maybe"], "neither true nor false"],
    [["issue", "comment", "add", "--content-stdin"], "missing argument: <issue>"],
  ])("answers %o with exit 2 and one clear line", async (args, line) => {
    const result = await runCli(args, { home: tempDir(), input: "MUL-9" });
    expect([result.code, result.stdout.startsWith("{") || result.stdout === ""]).toEqual([2, true]);
    expect(result.stderr.split("\n")[0]).toContain(line);
    expect(result.stderr).not.toMatch(/\n\s+at |›/);
  });

  it("never shows a token that was mistyped into a command line", async () => {
    const result = await runCli(["login", "--token", MUL, "--jsno", "--json"], { home: tempDir() });
    expect(result.code).toBe(2);
    expect(Object.keys(JSON.parse(result.stdout) as object)).toEqual(["error"]);
    expect(result.stdout + result.stderr).not.toContain(MUL);
  });

  it("takes the profile before, between and behind the words", async () => {
    const home = tempDir();
    for (const args of [["--profile", "p", "config", "show"], ["config", "--profile=p", "show"], ["config", "show", "--profile", "p"]]) {
      const result = await runCli(args, { home });
      expect([result.code, result.stdout.includes("profile: p\n")]).toEqual([0, true]);
    }
  });

  it("answers --version fast paths and commands alike", async () => {
    const home = tempDir();
    for (const args of [["--version"], ["version"], ["version", "--output", "text"]]) {
      expect((await runCli(args, { home })).stdout.split("\n")[0]).toMatch(/^multica \d+\.\d+\.\d+ \(commit: \S+, built: \S+\)$/);
    }
    expect(readdirSync(home)).toEqual([]);
  });

  it("ends silently when its reader has gone", async () => {
    const { execFileSync } = await import("node:child_process");
    const bin = join(import.meta.dirname, "../../../bin/run.js");
    const out = execFileSync("sh", ["-c", `"${process.execPath}" "${bin}" --help | head -n 1; :`], { env: { PATH: process.env["PATH"] ?? "", HOME: tempDir() }, stdio: "pipe" });
    expect(out.toString()).toMatch(/^multica runs coding agents/);
  });
});

describe("output that cannot be written", () => {
  it.skipIf(!existsSync("/dev/full"))("is a failure in one line", async () => {
    const bin = join(import.meta.dirname, "../../../bin/run.js");
    const home = tempDir();
    for (const args of ["version", "config show", "issue --help", "daemon status --json"]) {
      const run = spawnSync("sh", ["-c", `"${process.execPath}" "${bin}" ${args} > /dev/full`], { env: { PATH: process.env["PATH"] ?? "", HOME: home }, encoding: "utf8" });
      expect([args, run.status, run.stderr]).toEqual([args, 1, "Error: cannot write the output: ENOSPC: no space left on device, write\n"]);
    }
  });
});

describe("help", () => {
  it("renders for everything under an empty home, in and out of tasks", async () => {
    const home = tempDir();
    const lines = [["--help"], [], ["issue"], ["issue", "--help"], ["repo", "checkout", "--help"], ["help", "daemon", "start"], ["daemon", "start", "-h"]];
    for (const args of lines) {
      const result = await runCli(args, { home, env: { MULTICA_TASK_ID: "t" } });
      expect([args, result.code, result.stderr]).toEqual([args, 0, ""]);
      expect(result.stdout).not.toMatch(/\u001b|<%/);
    }
    expect(readdirSync(home)).toEqual([]);
  });
});

describe("inside a task", () => {
  it.each([
    ["login", "--token-stdin"],
    ["logout"],
    ["setup", "embedded"],
    ["quickstart"],
    ["daemon", "start"],
    ["daemon", "stop"],
    ["daemon", "restart"],
    ["daemon", "logs", "--profile", "nobody"],
    ["server", "start"],
    ["workspace", "switch", "x"],
    ["runtime", "profile", "set-path", "x", "--path", "/x"],
    ["config", "show"],
    ["auth", "status"],
  ])("refuses %s %s before it reads anything", async (...args) => {
    const home = tempDir();
    const result = await runCli(args.filter((word) => word !== undefined), { home, env: { MULTICA_TASK_ID: "t", MULTICA_TOKEN: MAT } });
    expect([result.code, result.stdout]).toEqual([1, ""]);
    expect(result.stderr).toMatch(/task/);
    expect(readdirSync(home)).toEqual([]);
  });

  it("sends nothing without a task token, with one it says who it is", async () => {
    const server = await answeringServer({ "GET /api/me": { body: { id: "u", name: "N", email: "e@x" } } });
    const env = { MULTICA_TASK_ID: "t", MULTICA_AGENT_ID: "a", MULTICA_SERVER_URL: server.url, MULTICA_TASK_CONFIG_ROOT: tempDir() };
    expect((await runCli(["auth", "status"], { home: tempDir(), env })).code).toBe(3);
    expect((await runCli(["auth", "status"], { home: tempDir(), env: { ...env, MULTICA_TOKEN: MUL } })).code).toBe(3);
    expect(server.seen).toEqual([]);
    const result = await runCli(["auth", "status"], { home: tempDir(), env: { ...env, MULTICA_TOKEN: MAT } });
    expect(result.code).toBe(0);
    expect(result.stdout + result.stderr).not.toContain("mat_");
    expect(server.seen[0]?.headers).toMatchObject({ "x-task-id": "t", "x-agent-id": "a" });
  });

  it("waits for a server that breaks connections while it is started anew; outside a task that is told at once", async () => {
    const server = await answeringServer({ [`GET /api/issues/${WS}`]: { body: { id: WS, identifier: "MUL-1", title: "T" } } });
    let broken = 0;
    const door = createServer((socket) => {
      const again = broken < 2;
      broken += 1;
      if (again) return void socket.destroy();
      const inner = connect(server.port, "127.0.0.1");
      socket.pipe(inner).pipe(socket);
      for (const one of [socket, inner]) one.on("error", () => undefined);
    });
    await new Promise<void>((resolve) => door.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void door.close());
    const env = { MULTICA_SERVER_URL: `http://127.0.0.1:${(door.address() as AddressInfo).port}`, MULTICA_WORKSPACE_ID: WS };
    const outside = await runCli(["issue", "get", WS], { home: tempDir(), env: { ...env, MULTICA_TOKEN: MUL } });
    expect([outside.code, outside.stdout, broken]).toEqual([6, "", 1]);
    const inside = await runCli(["issue", "get", WS], { home: tempDir(), env: { ...env, MULTICA_TOKEN: MAT, MULTICA_TASK_ID: "t", MULTICA_AGENT_ID: "a", MULTICA_TASK_CONFIG_ROOT: tempDir() } });
    expect([inside.code, JSON.parse(inside.stdout)]).toMatchObject([0, { title: "T" }]);
    expect(broken).toBeGreaterThan(2);
  });

  it("looks at the task's own daemon only", async () => {
    const daemon = await answeringServer({ "GET /health": { body: { status: "running", pid: 7, uptime: "1s" } } });
    const env = { MULTICA_TASK_ID: "t", MULTICA_DAEMON_PORT: String(daemon.port) };
    const result = await runCli(["daemon", "status", "--output", "json"], { home: tempDir(), env });
    expect(JSON.parse(result.stdout)).toMatchObject({ status: "running", pid: 7 });
    for (const [extra, port] of [[[], ""], [[], "x"], [["--profile", "p"], "1"]] as const) {
      const bad = await runCli(["daemon", "status", ...extra], { home: tempDir(), env: { MULTICA_TASK_ID: "t", MULTICA_DAEMON_PORT: port } });
      expect(bad.code).toBe(2);
    }
  });
});

describe("repo checkout", () => {
  const task = (port: number): Record<string, string> => ({
    MULTICA_TASK_ID: "t",
    MULTICA_AGENT_NAME: "Dev",
    MULTICA_WORKSPACE_ID: WS,
    MULTICA_TOKEN: MAT,
    MULTICA_DAEMON_PORT: String(port),
    MULTICA_REPO_CHECKOUT_MODE: "isolated",
  });

  it("prints the path alone, waits while the repository is busy, and sends the whole request", async () => {
    let calls = 0;
    const daemon = await answeringServer({
      "POST /repo/checkout": () => {
        calls += 1;
        if (calls <= 2) return { status: 503, body: "busy", headers: { "X-Multica-Retryable": "repo-busy", "Retry-After": "0" } };
        return { body: { path: "/srv/app", branch_name: "agent/dev/1", stale: true } };
      },
    });
    const home = tempDir();
    const result = await runCli(["repo", "checkout", "git@host:team/app.git", "--ref", "main"], { home, env: task(daemon.port) });
    expect([result.code, result.stdout]).toEqual([0, "/srv/app\n"]);
    expect(result.stderr).toContain("Checked out git@host:team/app.git → /srv/app (branch: agent/dev/1)");
    expect(result.stderr).toContain("could not be fetched");
    expect(daemon.seen.map((request) => request.body)).toEqual(Array(3).fill({
      url: "git@host:team/app.git",
      workspace_id: WS,
      workdir: home,
      ref: "main",
      agent_name: "Dev",
      task_id: "t",
      checkout_mode: "isolated",
      retry_busy: true,
    }));
    expect(daemon.seen[0]?.headers["authorization"]).toBe(`Bearer ${MAT}`);
  });

  it.each([
    [400, 5],
    [401, 3],
    [403, 3],
    [500, 1],
    [503, 1],
  ])("shows the daemon's words for status %i and ends with %i", async (status, exit) => {
    const daemon = await answeringServer({ "POST /repo/checkout": { status, body: "the daemon's words" } });
    const result = await runCli(["repo", "checkout", "u"], { home: tempDir(), env: task(daemon.port) });
    expect([result.code, result.stdout, result.stderr.split("\n")[0]]).toEqual([exit, "", "Error: the daemon's words"]);
    expect(daemon.seen).toHaveLength(1);
  });

  it.each([
    ['cannot resolve requested ref "x" in repo cache at /cache', "git ls-remote"],
    ["worktree path already exists and is not a valid git worktree: /w/app", "move it away"],
    ["repo checkout workdir is not owned by the active task", "the task's own workdir"],
    ["repo checkout requires an active task credential", "stop working on it"],
  ])("says what to do about «%s»", async (body, step) => {
    const daemon = await answeringServer({ "POST /repo/checkout": { status: 500, body } });
    const { stderr } = await runCli(["repo", "checkout", "u"], { home: tempDir(), env: task(daemon.port) });
    expect(stderr.split("\n").slice(0, 2)).toEqual([`Error: ${body}`, expect.stringContaining(step)]);
  });

  it("needs a port, a token and a daemon", async () => {
    const { MULTICA_DAEMON_PORT: _port, ...noPort } = task(1);
    const { MULTICA_TOKEN: _token, ...noToken } = task(1);
    expect((await runCli(["repo", "checkout", "u"], { home: tempDir(), env: noPort })).code).toBe(2);
    expect((await runCli(["repo", "checkout", "u"], { home: tempDir(), env: noToken })).code).toBe(3);
    const alone = await runCli(["repo", "checkout", "u"], { home: tempDir(), env: task(await freePort()) });
    expect([alone.code, alone.stderr.split("\n")[1]]).toEqual([6, expect.stringMatching(/try once more/)]);
  });
});

describe("login and settings", () => {
  const account = { "GET /api/me": { body: { id: "u", name: "N", email: "e@x" } }, "GET /api/workspaces": { body: [{ id: WS, name: "One", slug: "one" }, { id: "w2", name: "Two", slug: "two" }] } };

  it("stores token, server and workspace, with nothing but 0600", async () => {
    const server = await answeringServer(account);
    const home = tempDir();
    const result = await runCli(["login", "--token-stdin", "--server-url", `${server.url}/ws`, "--workspace", "TWO", "--profile", "p", "--json"], { home, input: `${MUL}\n` });
    expect([result.code, JSON.parse(result.stdout)]).toMatchObject([0, { authenticated: true, workspace_id: "w2" }]);
    const path = join(home, ".multica", "profiles", "p", "config.json");
    expect(JSON.parse(readFileSync(path, "utf8"))).toEqual({ token: MUL, server_url: server.url, workspace_id: "w2" });
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(existsSync(join(home, ".multica", "config.json"))).toBe(false);
    expect((await runCli(["logout", "--profile", "p"], { home })).code).toBe(0);
    expect(JSON.parse(readFileSync(path, "utf8"))).toEqual({ server_url: server.url, workspace_id: "w2" });
  });

  it.each(["mat_abc", "mdt_abc", "MUL_a", "abc", ""])("refuses the token «%s»", async (token) => {
    const result = await runCli(["login", "--token-stdin"], { home: tempDir(), input: token });
    expect(result.code).toBe(2);
    expect(result.stderr).toMatch(/mul_.*mcn_/);
  });

  it("writes nothing for a token that the server does not accept", async () => {
    const server = await answeringServer({ "GET /api/me": { status: 401, body: { error: "unauthorized" } } });
    const home = tempDir();
    expect((await runCli(["login", "--token", MUL, "--server-url", server.url], { home })).code).toBe(3);
    expect(readdirSync(home)).toEqual([]);
  });

  it("asks for no token where nobody can answer", async () => {
    const result = await runCli(["login", "--token"], { home: tempDir() });
    expect([result.code, result.stderr.includes("--token-stdin")]).toEqual([2, true]);
  });

  it("sets, shows, reads and clears a setting, and changes nothing for a bad one", async () => {
    const home = tempDir();
    expect((await runCli(["config", "set", "poll_interval", "5s"], { home })).code).toBe(0);
    expect((await runCli(["config", "get", "poll_interval"], { home })).stdout).toBe("5s\n");
    const before = readFileSync(join(home, ".multica", "config.json"), "utf8");
    expect((await runCli(["config", "set", "poll_interval", "0s"], { home })).code).toBe(2);
    expect((await runCli(["config", "set", "token", MUL], { home })).code).toBe(2);
    expect(readFileSync(join(home, ".multica", "config.json"), "utf8")).toBe(before);
    expect((await runCli(["config", "set", "poll_interval", ""], { home })).code).toBe(0);
    expect((await runCli(["config", "get", "poll_interval"], { home })).code).toBe(4);
    expect((await runCli(["config"], { home })).stdout).toContain("poll_interval: (not set)\n");
  });

  it("says what the kind of checkouts in use means", async () => {
    const home = tempDir();
    const shown = async (): Promise<string> => (await runCli(["config", "show"], { home })).stdout.split("\n").find((line) => line.startsWith("repo_checkout_mode")) ?? "";
    expect(await shown()).toBe("repo_checkout_mode: auto (isolated where the agent's sandbox cannot reach the cache, else linked)");
    expect((await runCli(["config", "set", "repo_checkout_mode", "clone"], { home })).code).toBe(2);
    expect((await runCli(["config", "set", "repo_checkout_mode", "isolated"], { home })).code).toBe(0);
    expect(await shown()).toContain("isolated (every checkout is a clone of its own");
  });

  it("keeps a task's settings below its own root", async () => {
    const home = tempDir();
    const root = tempDir();
    mkdirSync(join(home, ".multica"));
    writeFileSync(join(home, ".multica", "config.json"), '{"token":"mul_own"}');
    const env = { MULTICA_TASK_ID: "t", MULTICA_TASK_CONFIG_ROOT: root };
    expect((await runCli(["config", "set", "device_name", "d"], { home, env })).code).toBe(0);
    expect(JSON.parse(readFileSync(join(root, "config.json"), "utf8"))).toEqual({ device_name: "d" });
    expect(statSync(join(root, "config.json")).mode & 0o777).toBe(0o600);
    expect(readFileSync(join(home, ".multica", "config.json"), "utf8")).toBe('{"token":"mul_own"}');
  });

  it("names the known profiles for an unknown one", async () => {
    const home = tempDir();
    mkdirSync(join(home, ".multica", "profiles", "known"), { recursive: true });
    writeFileSync(join(home, ".multica", "profiles", "known", "config.json"), "{}");
    const plain = await runCli(["daemon", "stop", "--profile", "nope"], { home });
    expect([plain.code, plain.stderr.includes("known")]).toEqual([4, true]);
    const json = await runCli(["daemon", "status", "--profile", "nope", "--json"], { home });
    expect([json.code, JSON.parse(json.stdout), json.stderr]).toEqual([4, { status: "unknown_profile", profile: "nope", known_profiles: ["known"] }, ""]);
  });
});

describe("issue and repository commands", () => {
  const env = (url: string): Record<string, string> => ({ MULTICA_TOKEN: MUL, MULTICA_SERVER_URL: url, MULTICA_WORKSPACE_ID: WS });

  it("sends only the given fields of an update", async () => {
    const server = await answeringServer({ "GET /api/issues/MUL-1": { body: ISSUE }, [`PUT /api/issues/${ISSUE.id}`]: { body: ISSUE } });
    const args = ["issue", "update", "MUL-1", "--description", "", "--parent", "", "--due-date", "", "--position", "0", "--no-start"];
    expect((await runCli(args, { home: tempDir(), env: env(server.url) })).code).toBe(0);
    expect(server.seen.at(-1)?.body).toEqual({ description: "", parent_issue_id: null, due_date: "", position: 0, suppress_run: true });
  });

  it("prints the cursor of comments on stderr and a whole page on stdout", async () => {
    const headers = { "X-Multica-Next-Before": "T", "X-Multica-Next-Before-Id": "I" };
    const server = await answeringServer({
      "GET /api/issues/MUL-1": { body: ISSUE },
      [`GET /api/issues/${ISSUE.id}/comments`]: { body: [{ id: "c", content: "x", created_at: "T", updated_at: "T", parent_id: null }], headers },
    });
    const result = await runCli(["issue", "comment", "list", "MUL-1", "--recent", "1", "--compact", "--output", "json"], { home: tempDir(), env: env(server.url) });
    expect(JSON.parse(result.stdout)).toEqual([{ id: "c", content: "x", created_at: "T" }]);
    expect(result.stderr).toBe("Next thread cursor: --before T --before-id I\n");
    expect(server.seen.at(-1)?.query.get("fold")).toBe("true");
  });

  it("adds a comment from standard input as it is", async () => {
    const server = await answeringServer({ "GET /api/issues/MUL-1": { body: ISSUE }, [`POST /api/issues/${ISSUE.id}/comments`]: { body: { id: "c" } } });
    const result = await runCli(["issue", "comment", "add", "MUL-1", "--content-stdin"], { home: tempDir(), env: env(server.url), input: "a\\n`$(b)`\n\n" });
    expect([result.code, result.stderr]).toEqual([0, "Commented on MUL-1.\n"]);
    expect(server.seen.at(-1)?.body).toEqual({ content: "a\\n`$(b)`\n" });
  });

  it("adds repositories once and removes only known ones", async () => {
    const repos = [{ url: "https://x/a" }];
    const server = await answeringServer({
      [`GET /api/workspaces/${WS}`]: { body: { id: WS, repos } },
      [`PATCH /api/workspaces/${WS}`]: (request) => ({ body: { id: WS, repos: (request.body as { repos: unknown }).repos } }),
    });
    const options = { home: tempDir(), env: env(server.url) };
    expect(JSON.parse((await runCli(["repo", "add", "https://x/a", "https://x/b"], options)).stdout)).toMatchObject({ added: ["https://x/b"], updated: [] });
    server.seen.length = 0;
    expect((await runCli(["repo", "add", "https://x/a"], options)).stderr).toContain("Nothing to change");
    expect((await runCli(["repo", "rm", "https://x/a", "https://x/zz"], options)).code).toBe(4);
    expect(server.seen.filter((request) => request.method === "PATCH")).toEqual([]);
    expect((await runCli(["repo", "add"], options)).code).toBe(2);
  });

  it("tells whether a profile is to be switched off", async () => {
    const server = await answeringServer({ [`PATCH /api/workspaces/${WS}/runtime-profiles/p`]: { body: { id: "p" } } });
    expect((await runCli(["runtime", "profile", "update", "p", "--enabled=false"], { home: tempDir(), env: env(server.url) })).code).toBe(0);
    expect(server.seen[0]?.body).toEqual({ enabled: false });
  });

  it("keeps the local path of a profile and warns about a missing command", async () => {
    const home = tempDir();
    const result = await runCli(["runtime", "profile", "set-path", "p", "--path", "/no/such/agent", "--json"], { home });
    expect([JSON.parse(result.stdout), result.stderr.includes("missing")]).toEqual([{ profile_id: "p", path: "/no/such/agent", previous: null }, true]);
    expect((await runCli(["runtime", "profile", "set-path", "p", "--path", "rel"], { home })).code).toBe(2);
    expect((await runCli(["runtime", "profile", "unset-path", "p"], { home })).code).toBe(0);
    expect(JSON.parse(readFileSync(join(home, ".multica", "config.json"), "utf8"))).toEqual({});
  });
});

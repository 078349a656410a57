import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, realpathSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createLocalPortClient } from "../../src/lib/api/local-port.ts";
import { systemClock, tryFileLock } from "../../src/lib/platform/index.ts";
import { silentLogger } from "../../src/lib/platform/logger.ts";
import { type CacheReport, type KeptWork, createRepoCache } from "../../src/lib/repos/index.ts";
import { type TestGit, commitFiles, testGit } from "../support/git.ts";
import { ProductHome } from "../support/product-home.ts";

// The eight commands that look after repositories, as processes beside a running daemon. Who works in the checkouts is
// this test: it makes them as a daemon on the same root would.

const TASKS = ["01931a2b-0000-7000-8000-0000000000aa", "01931a2b-0000-7000-8000-0000000000bb"] as const;

let product: ProductHome;
let git: TestGit;
let url: string;
let bare: string;
let workspace: string;
let checkout: string;

/** Leaves an edit in a checkout of one task and lets another one take it over: that makes one rescue. */
async function rescue(text: string): Promise<void> {
  const cache = createRepoCache({ root: product.env["MULTICA_WORKSPACES_ROOT"] ?? "", clock: systemClock, logger: silentLogger, env: git.env });
  const workdir = join(product.home, "agents-work");
  mkdirSync(workdir, { recursive: true });
  const request = { workspaceId: workspace, url, workdir, agentName: "Ada", mode: "linked" as const };
  await cache.ensure(workspace, url);
  bare = cache.cachePath(workspace, url);
  checkout = (await cache.checkout({ ...request, taskId: TASKS[0] })).path;
  writeFileSync(join(checkout, "README.md"), text);
  await cache.checkout({ ...request, taskId: TASKS[1] });
  await cache.close();
}

const rescues = (): Promise<KeptWork[]> => product.json<KeptWork[]>(["repo", "rescue", "list"]);
const newest = async (): Promise<KeptWork> => (await rescues())[0] ?? expect.fail("no rescue");

beforeAll(async () => {
  const run = realpathSync(mkdtempSync(join(tmpdir(), "multica-e2e-")));
  product = new ProductHome({ home: join(run, "home") });
  await product.setUp();
  mkdirSync(join(run, "git-home"));
  git = testGit(join(run, "git-home"));
  url = await product.repository("demo");
  workspace = product.settings().workspace_id;
  await rescue("edited 1\n");
}, 90_000);

afterAll(async () => {
  await product.tearDown();
  rmSync(join(product.home, ".."), { recursive: true, force: true, maxRetries: 3 });
}, 60_000);

describe("multica repo rescue", () => {
  it("lists what was saved, as a table and as JSON", async () => {
    const work = await newest();
    expect(work).toMatchObject({ kind: "uncommitted", files: 1, checkout, repository: url, cache: bare, workspace_id: workspace });
    const table = await product.run(["repo", "rescue", "list"]);
    expect([table.code, table.stdout.includes(work.id)]).toEqual([0, true]);
    const none = await product.run(["repo", "rescue", "list", "--workspace-id", "another"]);
    expect([none.code, none.stdout, none.stderr.includes("No work is kept.")]).toEqual([0, "", true]);
  });

  it("shows one as a patch and as JSON; one that is not there is exit 4", async () => {
    const { id, ref } = await newest();
    const text = await product.run(["repo", "rescue", "show", id]);
    expect([text.code, text.stdout.includes(`Ref: ${ref}`), text.stdout.includes("+edited 1")]).toEqual([0, true, true]);
    expect(await product.json(["repo", "rescue", "show", ref, "--stat"])).toMatchObject({ id, patch: expect.stringContaining("1 file changed") as string });
    const missing = await product.run(["repo", "rescue", "show", "0123456789ab"]);
    expect([missing.code, missing.stdout, missing.stderr.includes("multica repo rescue list")]).toEqual([4, "", true]);
  });

  it("restores to a directory and as a branch, and leaves what is in use alone (7)", async () => {
    const { id, commit } = await newest();
    const done = await product.run(["repo", "rescue", "restore", id, "./found"]);
    expect([done.code, done.stdout]).toEqual([0, `${join(product.home, "found")}\n`]);
    expect(readFileSync(join(product.home, "found", "README.md"), "utf8")).toBe("edited 1\n");
    expect((await product.run(["repo", "rescue", "restore", id, "./found"])).code).toBe(7);
    expect(await product.json(["repo", "rescue", "restore", id, "--branch", "found-again"])).toMatchObject({ commit, branch: "found-again" });
    expect(git(checkout, "rev-parse", "found-again")).toBe(commit);
    expect((await product.run(["repo", "rescue", "restore", id])).code).toBe(2);
    expect((await product.run(["repo", "rescue", "restore", "ffffffffffff", "./x"])).code).toBe(4);
    git(checkout, "branch", "-D", "found-again");
  });

  it("drops one for good, after asking; not what is not there (4)", async () => {
    await rescue("edited 2\n");
    const { id, ref } = await newest();
    const asked = await product.run(["repo", "rescue", "drop", id]);
    expect([asked.code, asked.stderr.includes("--yes")]).toEqual([2, true]);
    expect((await product.run(["repo", "rescue", "drop", id, "ffffffffffff", "--yes"])).code).toBe(4);
    expect(git(bare, "rev-parse", ref)).not.toBe("");
    expect(await product.json(["repo", "rescue", "drop", id, "--yes"])).toMatchObject({ dropped: [{ ref }] });
    expect((await rescues()).map((work) => work.ref)).not.toContain(ref);
    expect((await product.run(["repo", "rescue", "drop"])).code).toBe(2);
  });
});

describe("multica repo cache", () => {
  it("lists caches, as a table and as JSON", async () => {
    const table = await product.run(["repo", "cache", "list"]);
    expect([table.code, table.stdout.includes("demo.git"), table.stdout.includes("CHECKOUTS")]).toEqual([0, true, true]);
    expect(await product.json<object[]>(["repo", "cache", "list"])).toMatchObject([{ path: bare, checkouts: 1, unpushed: true, url }]);
  });

  it("fetches; a remote that is away is exit 1, an unknown cache exit 4", async () => {
    const commit = commitFiles(git, join(product.home, "demo-work"), { "second.txt": "2" });
    git(join(product.home, "demo-work"), "push", "-q", join(product.home, "demo.git"), "main");
    expect(await product.json<CacheReport[]>(["repo", "cache", "fetch", url])).toMatchObject([{ status: "fetched" }]);
    expect(git(bare, "rev-parse", "refs/remotes/origin/main")).toBe(commit);
    const text = await product.run(["repo", "cache", "fetch"]);
    expect([text.code, text.stdout.includes("fetched")]).toEqual([0, true]);
    const unknown = await product.run(["repo", "cache", "fetch", "https://user:secret9@h/none"]);
    expect([unknown.code, unknown.stderr.includes("secret9")]).toEqual([4, false]);
    const moved = `${join(product.home, "demo.git")}.away`;
    renameSync(join(product.home, "demo.git"), moved);
    const away = await product.run(["repo", "cache", "fetch", url, "--json"]);
    renameSync(moved, join(product.home, "demo.git"));
    expect([away.code, (JSON.parse(away.stdout) as CacheReport[])[0]?.status]).toEqual([1, "failed"]);
  });

  it("verifies; findings are exit 8, an unknown cache exit 4", async () => {
    expect(await product.json<CacheReport[]>(["repo", "cache", "verify"])).toMatchObject([{ status: "ok" }]);
    writeFileSync(join(bare, "packed-refs.lock"), "");
    const found = await product.run(["repo", "cache", "verify", url]);
    rmSync(join(bare, "packed-refs.lock"));
    expect([found.code, found.stdout.includes("packed-refs.lock")]).toEqual([8, true]);
    expect((await product.run(["repo", "cache", "verify", "none.git"])).code).toBe(4);
  });

  it("does not drop one in use (7), without asking (2) or unknown (4)", async () => {
    expect((await product.run(["repo", "cache", "drop", url])).code).toBe(2);
    expect((await product.run(["repo", "cache", "drop", "none.git", "--yes"])).code).toBe(4);
    const refused = await product.run(["repo", "cache", "drop", url, "--yes", "--force", "--json"]);
    expect([refused.code, (JSON.parse(refused.stdout) as CacheReport[])[0]]).toMatchObject([7, { status: "refused", details: ["1 checkouts use it"] }]);
    expect(existsSync(bare)).toBe(true);
  });
});

describe("the commands for repositories", () => {
  it("say that a cache is busy (7) while somebody holds it, and change nothing", async () => {
    const { id } = await newest();
    const lock = tryFileLock(`${bare}.lock`);
    const commands = [["rescue", "show", id], ["rescue", "restore", id, "./busy"], ["rescue", "drop", id, "--yes"], ["cache", "fetch", url], ["cache", "verify", url], ["cache", "drop", url, "--yes"]];
    const results = await Promise.all(commands.map((words) => product.run(["repo", ...words])));
    lock?.release();
    expect(results.map((result, at) => [commands[at]?.slice(0, 2).join(" "), result.code])).toEqual(commands.map((words) => [words.slice(0, 2).join(" "), 7]));
    for (const result of results) expect(`${result.stdout}${result.stderr}`).toContain("busy");
    expect((await newest()).id).toBe(id);
  }, 90_000);

  it("are refused inside a task", async () => {
    const { id } = await newest();
    const env = { MULTICA_TASK_ID: TASKS[0], MULTICA_AGENT_ID: "0f6d3c1e-0000-4000-8000-0000000000a1", MULTICA_TOKEN: `mat_${"a".repeat(40)}` };
    const commands = [["rescue", "list"], ["rescue", "show", id], ["rescue", "restore", id, "./x"], ["rescue", "drop", id, "--yes"], ["cache", "list"], ["cache", "fetch"], ["cache", "verify"], ["cache", "drop", url, "--yes", "--force"]];
    const results = await Promise.all(commands.map((words) => product.run(["repo", ...words], { env })));
    expect(results.map(({ code, stdout, stderr }) => [code, stdout, stderr.includes("not available inside a daemon-managed task")])).toEqual(commands.map(() => [1, "", true]));
    expect(existsSync(bare)).toBe(true);
  }, 60_000);

  it("work without a daemon and a server; dropping with --force keeps the work in a file that is named", async () => {
    const { port } = product.daemonInfo();
    await product.json(["daemon", "stop"]);
    await product.run(["server", "stop"]);
    expect(await createLocalPortClient({ port, token: "x" }).health()).toBeNull();
    const { id } = await newest();
    expect((await product.run(["repo", "rescue", "show", id])).code).toBe(0);
    expect((await product.run(["repo", "rescue", "restore", id, "./offline"])).code).toBe(0);
    expect((await product.run(["repo", "cache", "fetch"])).code).toBe(0);
    expect((await product.run(["repo", "cache", "verify"])).code).toBe(0);
    rmSync(checkout, { recursive: true });
    expect((await product.run(["repo", "cache", "drop", url, "--yes"])).code).toBe(7);
    const [report] = await product.json<CacheReport[]>(["repo", "cache", "drop", url, "--yes", "--force"]);
    expect([report?.status, existsSync(bare)]).toEqual(["dropped", false]);
    const bundle = readdirSync(join(bare, "..")).find((name) => name.endsWith(".bundle")) ?? "";
    expect(report?.details.join()).toContain(bundle);
    expect((await product.run(["repo", "rescue", "list"])).stderr).toContain("No work is kept.");
    expect((await product.run(["repo", "cache", "list"])).stderr).toContain("Nothing is cached yet.");
  }, 60_000);
});

import { lstatSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { tryFileLock } from "../../../src/lib/platform/index.ts";
import { commitFiles, makeRemote } from "../../support/git.ts";
import { gatedSsh } from "../../support/gated-ssh.ts";
import { localRequest } from "../../support/local-request.ts";
import { gitEnv, register, twentyTasks, worker, world } from "../../support/many-tasks.ts";
import { testHome } from "../../support/daemon.ts";
import { waitFor } from "../../support/wait.ts";

const trailer = "Co-authored-by: multica-agent <github@multica.ai>";

describe("twenty tasks that want one repository at once", () => {
  it.each([1, 2])("share one clone and get a worktree each, with %i daemon(s) on one root", async (daemons) => {
    await twentyTasks(300, daemons);
  }, 120_000);
});

/** One daemon and one listed repository behind a gate. */
async function single(settings: Record<string, unknown> = {}) {
  const at = await world();
  const remote = makeRemote(at.git, join(at.dir, "remotes", "api"));
  mkdirSync(join(at.dir, "ssh"));
  const ssh = gatedSsh(join(at.dir, "ssh"));
  const url = `ssh://host${remote}`;
  const one = await worker(at, testHome(), { ...gitEnv(at.git), ...ssh.env });
  await at.server.api.updateWorkspace(at.server.workspaceId, { repos: [{ url }], settings });
  return { ...at, ...one, ssh, url, remote };
}

describe("the setting repo_checkout_mode", () => {
  it.each([
    ["isolated", undefined, "isolated"],
    ["linked", "isolated", "linked"],
    ["auto", "isolated", "isolated"],
    ["auto", undefined, "linked"],
  ] as const)("%s: a request for %s gives a checkout that is %s", async (repoCheckoutMode, asked, mode) => {
    const at = await world();
    const url = makeRemote(at.git, join(at.dir, "remotes", "api"));
    const one = await worker(at, testHome(), gitEnv(at.git), { repoCheckoutMode });
    await register(at.server, url);
    const done = await one.checkout(1, url, asked === undefined ? {} : { checkout_mode: asked });
    expect(done["mode"]).toBe(mode);
    expect(lstatSync(join(done.path, ".git")).isDirectory()).toBe(mode === "isolated");
  });
});

describe("a checkout through the local port", () => {
  it("tells who can read it how a first clone goes on, and answers everybody else once", async () => {
    const { checkout, workdir, ctx, daemon, server, ssh, url } = await single();
    mkdirSync(workdir(2), { recursive: true });
    const seen: string[] = [];
    const { createLocalPortClient } = await import("../../../src/lib/api/local-port.ts");
    ssh.open();
    const first = await checkout(1, url);
    expect(first["reused"]).toBe(false);
    rmSync(ctx.repoCache.cachePath(server.workspaceId, url), { recursive: true });
    const client = createLocalPortClient({ port: daemon.port, token: "mat_1" });
    const body = { url, workspace_id: server.workspaceId, task_id: "01980000-0000-7000-8000-000000000001", workdir: workdir(1), agent_name: "Ada" };
    rmSync(first.path, { recursive: true });
    const again = await client.repoCheckout(body, undefined, ({ stage, percent }) => seen.push(`${stage} ${percent}`));
    expect(again.path).toBe(first.path);
    expect(seen.join()).toContain("Receiving objects");
    rmSync(ctx.repoCache.cachePath(server.workspaceId, url), { recursive: true });
    rmSync(first.path, { recursive: true });
    const old = await localRequest(daemon.port, "POST", "/repo/checkout", { token: "mat_1", body: JSON.stringify(body) });
    expect(old.headers["content-type"]).toContain("application/json");
    expect(JSON.parse(old.text)).toMatchObject({ path: first.path });
    // Streamed or not, an error is the same error.
    const bad = client.repoCheckout({ ...body, url: "file:///nowhere" }, undefined, () => undefined);
    await expect(bad).rejects.toMatchObject({ status: 400 });
  });

  it("goes on with a clone whose caller went away, and shows who waits", async () => {
    const { checkout, ctx, daemon, server, ssh, url, workdir } = await single();
    mkdirSync(workdir(1), { recursive: true });
    const gone = new AbortController();
    await checkout(9, "file:///nowhere").catch(() => undefined);
    const body = JSON.stringify({ url, workspace_id: server.workspaceId, task_id: "01980000-0000-7000-8000-000000000009", workdir: workdir(9) });
    const pending = localRequest(daemon.port, "POST", "/repo/checkout", { token: "mat_9", body, signal: gone.signal, headers: { "x-multica-progress": "1" } });
    await waitFor("the clone to start", () => ssh.calls() === 1);
    gone.abort();
    await expect(pending).rejects.toThrow();
    ssh.open();
    await waitFor("the clone to be done", () => ctx.repoCache.isCached(server.workspaceId, url));
    expect(ssh.calls()).toBe(1);
    expect((await daemon.health()).repo_checkout_waiters ?? 0).toBe(0);
  });

  it("follows the workspace's co-author setting at once", async () => {
    const { checkout, git, server, ssh, url } = await single();
    ssh.open();
    const { path } = await checkout(1, url);
    commitFiles(git, path, { "a.txt": "1" });
    expect(git(path, "log", "-1", "--format=%B")).toContain(trailer);
    await server.api.updateWorkspace(server.workspaceId, { settings: { co_authored_by_enabled: false } });
    const second = await checkout(2, url);
    commitFiles(git, second.path, { "a.txt": "2" });
    expect(git(second.path, "log", "-1", "--format=%B")).not.toContain(trailer);
  });

  it("clones anew when the cache was evicted between the look and the lock", async () => {
    const { checkout, ctx, server, ssh, url } = await single();
    ssh.open();
    await checkout(1, url);
    const bare = ctx.repoCache.cachePath(server.workspaceId, url);
    const held = tryFileLock(`${bare}.lock`);
    const pending = checkout(2, url);
    await waitFor("somebody to wait for the lock", () => ctx.repoCache.activity().waiters === 1);
    rmSync(bare, { recursive: true });
    held?.release();
    expect((await pending)["reused"]).toBe(false);
    expect(ctx.repoCache.isCached(server.workspaceId, url)).toBe(true);
  });

  it("names the ref of the work it saved, and repeats a request without harm", async () => {
    const { checkout, ssh, url, ctx, workdir, server } = await single();
    ssh.open();
    const first = await checkout(1, url);
    writeFileSync(join(first.path, "README.md"), "edited\n");
    expect(await checkout(1, url)).toMatchObject({ path: first.path, branch_name: first.branch_name, reused: true });
    expect(readFileSync(join(first.path, "README.md"), "utf8")).toBe("edited\n");
    // The next task of the same environment.
    ctx.credentials.register("mat_next", { workspaceId: server.workspaceId, agentId: "a", agentName: "Ada", taskId: "next", workdir: workdir(1), envRoot: workdir(1) });
    const { createLocalPortClient } = await import("../../../src/lib/api/local-port.ts");
    const client = createLocalPortClient({ port: ctx.localPort, token: "mat_next" });
    const next = await client.repoCheckout({ url, workspace_id: server.workspaceId, task_id: "next", workdir: workdir(1) });
    expect(next["rescued"]).toMatchObject({ ref: expect.stringMatching(/^refs\/multica\/rescue\//) as string, files: 1 });
    expect(await register(server, url)).toBeUndefined();
  });
});

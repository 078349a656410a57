import { basename, join } from "node:path";
import { describe, expect, it } from "vitest";
import { silentLogger } from "../../../src/lib/platform/logger.ts";
import { type RefreshOutcome, createRepoRegistry } from "../../../src/lib/repos/index.ts";
import { makeRemote } from "../../support/git.ts";
import { harness } from "./harness.ts";

function registryOf(answer: () => RefreshOutcome | Promise<RefreshOutcome>) {
  const made = harness();
  let refreshes = 0;
  const registry = createRepoRegistry({
    cache: made.cache,
    logger: silentLogger,
    refresh: async () => ((refreshes += 1), answer()),
  });
  return { ...made, registry, refreshes: () => refreshes };
}

const list = (...urls: string[]): RefreshOutcome => ({ kind: "repos", repos: { urls } });

describe("readiness", () => {
  it("clones a listed repository and is told the list's spelling", async () => {
    const urls: string[] = [];
    const { registry, cache, git, dir } = registryOf(() => list(...urls));
    const remote = makeRemote(git, dir("remotes", "api"));
    urls.push(remote);
    registry.setWorkspaceRepos("ws", { urls: [` ${remote} `] });
    const path = cache.cachePath("ws", remote);
    expect(await registry.readiness("ws", `  ${remote}  `)).toEqual({ kind: "ready", url: remote, path, warnings: [] });
    expect(await registry.readiness("ws", `${remote}/`)).toMatchObject({ kind: "ready", url: remote });
  });

  it("knows only watched workspaces", async () => {
    const { registry } = registryOf(() => list());
    expect(await registry.readiness("other", "x")).toEqual({ kind: "not_watched", message: "workspace is not watched by this daemon: other" });
  });

  it("refuses a URL that is on no list, after asking the server once more", async () => {
    const { registry, refreshes } = registryOf(() => list("https://h/o/r"));
    registry.setWorkspaceRepos("ws", { urls: [] });
    for (const url of ["https://h/o/other", "ext::sh -c x", "--upload-pack=x", ""]) {
      expect(await registry.readiness("ws", url)).toEqual({ kind: "not_allowed", message: "repo is not configured for this workspace" });
    }
    expect(refreshes()).toBe(4);
  });

  it("finds what was listed only a moment ago", async () => {
    const urls: string[] = [];
    const { registry, git, dir } = registryOf(() => list(...urls));
    registry.setWorkspaceRepos("ws", { urls: [] });
    urls.push(makeRemote(git, dir("remotes", "api")));
    expect((await registry.readiness("ws", urls[0] ?? "")).kind).toBe("ready");
  });

  it("makes one request and one clone of ten callers that miss at once", async () => {
    const urls: string[] = [];
    const { registry, git, dir, refreshes } = registryOf(() => list(...urls));
    urls.push(makeRemote(git, dir("remotes", "api")));
    registry.setWorkspaceRepos("ws", { urls });
    const leaving = new AbortController();
    const gone = registry.readiness("ws", urls[0] ?? "", { signal: leaving.signal });
    const all = Array.from({ length: 9 }, () => registry.readiness("ws", urls[0] ?? ""));
    leaving.abort(new Error("gone"));
    await expect(gone).rejects.toThrow("gone");
    expect(new Set((await Promise.all(all)).map((item) => item.kind))).toEqual(new Set(["ready"]));
    expect(refreshes()).toBe(1);
  });

  it("goes on with the last list when the server is away and the repository is cached", async () => {
    let answer: () => RefreshOutcome = () => list();
    const { registry, git, dir } = registryOf(() => answer());
    const remote = makeRemote(git, dir("remotes", "api"));
    answer = () => list(remote);
    registry.setWorkspaceRepos("ws", { urls: [remote], settings: { a: 1 } });
    await registry.readiness("ws", remote);
    answer = () => ({ kind: "lost", error: new Error("connection refused") });
    expect(await registry.readiness("ws", remote)).toMatchObject({ kind: "ready", warnings: ["refresh workspace repos: connection refused"] });
    const second = makeRemote(git, dir("remotes", "second"));
    registry.setWorkspaceRepos("ws", { urls: [remote, second] });
    expect(await registry.readiness("ws", second)).toMatchObject({ kind: "refresh_failed" });
    answer = () => ({ kind: "refused", error: new Error("403") });
    expect(await registry.readiness("ws", remote)).toMatchObject({ kind: "refresh_failed", message: "refresh workspace repos: 403" });
    answer = () => {
      throw new Error("broken");
    };
    expect(await registry.readiness("ws", remote)).toMatchObject({ kind: "ready" });
  });

  it("takes the settings over with every request", async () => {
    const answers: RefreshOutcome[] = [];
    const { registry, git, dir } = registryOf(() => answers.shift() ?? list());
    const remote = makeRemote(git, dir("remotes", "api"));
    registry.setWorkspaceRepos("ws", { urls: [remote], settings: { old: true } });
    answers.push({ kind: "repos", repos: { urls: [remote], version: "2", settings: { github_enabled: false } } });
    await registry.readiness("ws", remote);
    expect(registry.repos("ws")).toEqual({ urls: [remote], version: "2", settings: { github_enabled: false } });
  });

  it("says why a listed repository cannot be cloned, and tries again when asked again", async () => {
    const urls: string[] = [];
    const { registry, git, dir } = registryOf(() => list(...urls));
    const missing = join(dir("remotes"), "later");
    urls.push(missing);
    registry.setWorkspaceRepos("ws", { urls });
    expect(await registry.readiness("ws", missing)).toMatchObject({
      kind: "not_synced",
      message: expect.stringContaining("repo is configured but not synced: git clone --bare: ") as string,
    });
    makeRemote(git, missing);
    expect((await registry.readiness("ws", missing)).kind).toBe("ready");
  });
});

describe("a task's repositories", () => {
  it("are allowed for good, with refs for the task alone", async () => {
    const { registry, git, dir } = registryOf(() => list());
    const remote = makeRemote(git, dir("remotes", "api"));
    registry.setWorkspaceRepos("ws", { urls: [] });
    registry.setTaskRepos("t1", "ws", [
      { url: ` ${remote} `, ref: "develop" },
      { url: remote, ref: "second" },
      { url: "" },
    ]);
    expect(registry.taskRef("t1", remote)).toBe("develop");
    expect(registry.taskRef("t2", remote)).toBeUndefined();
    expect((await registry.readiness("ws", remote)).kind).toBe("ready");
    registry.clearTaskRepos("t1");
    expect(registry.taskRef("t1", remote)).toBeUndefined();
    expect((await registry.readiness("ws", remote)).kind).toBe("ready");
    expect(registry.urls("ws")).toEqual([remote]);
  });

  it("keep their cache from being evicted, as the workspace's own do (repocache.md 20, case 71)", () => {
    const { registry, cache } = registryOf(() => list());
    registry.setWorkspaceRepos("ws", { urls: ["https://h/o/listed"] });
    registry.setTaskRepos("t1", "ws", [{ url: "https://h/o/task-only" }]);
    registry.clearTaskRepos("t1");
    const claimed = (workspace: string, url: string): boolean => registry.claims(workspace, basename(cache.cachePath(workspace, url)));
    expect([claimed("ws", "git@h:o/listed"), claimed("ws", "https://h/o/task-only"), claimed("ws", "https://h/o/other"), claimed("ws2", "https://h/o/listed")]).toEqual([true, true, false, false]);
  });

  it("of an unknown workspace are nothing, and go with their workspace", () => {
    const { registry } = registryOf(() => list());
    registry.setTaskRepos("t1", "nowhere", [{ url: "https://h/o/r", ref: "x" }]);
    expect(registry.taskRef("t1", "https://h/o/r")).toBeUndefined();
    registry.setWorkspaceRepos("ws", { urls: ["https://h/o/r"] });
    registry.removeWorkspace("ws");
    expect(registry.urls("ws")).toEqual([]);
  });
});

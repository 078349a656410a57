// Shallow and partial caches: the daemon makes neither, a person can (repocache.md 8 step 5, 20 case 39, 21.4).
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { systemClock } from "../../../src/lib/platform/index.ts";
import { createRepoKeeper, salvageCheckouts } from "../../../src/lib/repos/index.ts";
import { commitFiles, makeRemote } from "../../support/git.ts";
import { TASK_A, TASK_B, harness } from "./harness.ts";

const KINDS = {
  shallow: ["--depth", "1"],
  "shallow by a mirror clone": ["--mirror", "--depth", "1"],
  "partial, without file contents": ["--filter=blob:none"],
  "partial, without trees": ["--filter=tree:0"],
} as const;

async function world(kind: keyof typeof KINDS) {
  const made = harness();
  const { git, dir, cache, request, root } = made;
  const remote = makeRemote(git, dir("remotes", "api"), "main", { "README.md": "one\n", "src/a.txt": "a\n", ".gitignore": "build/\n" });
  commitFiles(git, remote, { "src/a.txt": "b\n", "src/only-in-history.txt": "old\n" });
  rmSync(join(remote, "src", "only-in-history.txt"));
  commitFiles(git, remote, { "README.md": "three\n" });
  git(remote, "config", "uploadpack.allowFilter", "true");
  git(remote, "config", "uploadpack.allowAnySHA1InWant", "true");
  const url = `file://${remote}`;
  const bare = cache.cachePath("ws", url);
  mkdirSync(dirname(bare), { recursive: true });
  git(dirname(bare), "clone", "-q", "--bare", ...KINDS[kind], url, bare);
  const isShallow = kind.startsWith("shallow");
  const kindHolds = (): void => {
    if (isShallow) expect(git(bare, "rev-parse", "--is-shallow-repository")).toBe("true");
    else expect(git(bare, "config", "remote.origin.promisor")).toBe("true");
  };
  return { ...made, remote, url, bare, isShallow, kindHolds, machine: { clock: systemClock, env: git.env }, root, request, cache };
}

describe.each(Object.keys(KINDS) as (keyof typeof KINDS)[])("a cache that is %s", (kind) => {
  it.each(["linked", "isolated"] as const)("gives whole checkouts, loses no work in them and stays what it is (%s)", async (mode) => {
    const { git, cache, request, url, bare, remote, kindHolds, root, machine, dir } = await world(kind);
    const { path } = await cache.checkout(request(url, { mode }));
    expect([git(path, "status", "--porcelain"), readFileSync(join(path, "README.md"), "utf8"), readFileSync(join(path, "src", "a.txt"), "utf8")]).toEqual(["", "three\n", "b\n"]);
    const newest = commitFiles(git, remote, { "README.md": "four\n", "new.txt": "new\n" });
    commitFiles(git, path, { "committed.txt": "committed\n" });
    writeFileSync(join(path, "README.md"), "edited\n");
    writeFileSync(join(path, "open.txt"), "open\n");
    const again = await cache.checkout(request(url, { mode }));
    expect([again.reused, again.stale]).toEqual([true, false]);
    const next = await cache.checkout(request(url, { mode, taskId: TASK_B }));
    expect(next).toMatchObject({ path, baseCommit: newest, stale: false, rescued: { files: 2 } });
    expect([git(path, "status", "--porcelain"), readFileSync(join(path, "new.txt"), "utf8")]).toEqual(["", "new\n"]);
    expect(git(bare, "show", `${next.rescued?.ref ?? ""}:open.txt`)).toBe("open");
    expect(git(bare, "show", `${next.rescued?.ref ?? ""}:committed.txt`)).toBe("committed");
    const keeper = createRepoKeeper({ root, ...machine });
    const work = (await keeper.rescues()).find((item) => item.kind === "uncommitted") ?? expect.fail("no rescue");
    await keeper.restore(work, { directory: join(dir("found"), "x") });
    expect(readFileSync(join(dir("found"), "x", "src", "a.txt"), "utf8")).toBe("b\n");
    kindHolds();
    git(bare, "fsck", "--connectivity-only");
    expect((await keeper.verify((await keeper.caches())[0] ?? expect.fail("no cache"))).status).toBe("ok");
  });

  it.each(["linked", "isolated"] as const)("keeps what was in a directory that goes, and survives packing (%s)", async (mode) => {
    const { git, cache, request, url, bare, root, machine, dir, kindHolds } = await world(kind);
    const { path } = await cache.checkout(request(url, { mode }));
    const commit = commitFiles(git, path, { "committed.txt": "committed\n" });
    writeFileSync(join(path, "open.txt"), "open\n");
    const { saved, homeless } = await salvageCheckouts({ root, workspaceId: "ws", directory: dir("work"), taskId: TASK_A, ...machine });
    expect(homeless).toEqual([]);
    rmSync(path, { recursive: true });
    writeFileSync(join(bare, ".multica-maintenance-pending"), "x");
    const report = await cache.maintain({ evictAfterMs: 1, pack: true, isIdle: () => true, isClaimed: () => false, signal: new AbortController().signal });
    // There is work in it that no remote has.
    expect(report).toMatchObject({ packed: 1, evicted: 0 });
    const open = saved.find(({ ref }) => ref.includes("/rescue/") && !ref.includes("/branch/"));
    expect(git(bare, "show", `${open?.ref ?? ""}:open.txt`)).toBe("open");
    expect(git(bare, "merge-base", commit, open?.commit ?? "")).toBe(commit);
    kindHolds();
    const fresh = await cache.checkout(request(url, { mode, taskId: TASK_B }));
    expect([readdirSync(fresh.path).includes("README.md"), existsSync(join(fresh.path, "open.txt"))]).toEqual([true, false]);
  });
});

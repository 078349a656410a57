// execenv.md 18, cases 53–58 with the exit codes of decision 4 (its 3 and 4 are 8, 5 is 7, 6 is 4); 56's clean --sidecars: local-directory.test.ts,
// 58: gc.test.ts. The merge state of copied files and `CH_CONFIG_STALE`, `_EDITED`, `_DIVERGED`, `CH_COPY_STALE` belong to the refresh that is not built (decision 10).
import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { describe, expect, it } from "vitest";
import { systemClock } from "../../../src/lib/platform/index.ts";
import { silentLogger } from "../../../src/lib/platform/logger.ts";
import { createRepoCache } from "../../../src/lib/repos/index.ts";
import { commitFiles, makeRemote, testGit } from "../../support/git.ts";
import { ISSUE, WORKSPACE, put } from "../../support/execenv.ts";
import { holdElsewhere, taskId, treeHash, world } from "../../support/execenv-world.ts";
import { tempDir } from "../../support/temp.ts";

interface Listed {
  readonly segment: string;
  readonly state: string;
  readonly provider: string;
  readonly findings?: { error: number };
}

const envs = (json: Record<string, unknown>): Listed[] => json["envs"] as Listed[];
const findings = (json: Record<string, unknown>): { code: string; status: string; severity: string }[] =>
  (json["envs"] as { findings: { code: string; status: string; severity: string }[] }[]).flatMap((env) => env.findings);

/** The damage of the acceptance cases: link gone, link broken, file gone. */
function damage(codexHome: string): void {
  rmSync(join(codexHome, "sessions"));
  rmSync(join(codexHome, "auth.json"));
  symlinkSync(join(codexHome, "nowhere"), join(codexHome, "auth.json"));
  rmSync(join(codexHome, "config.toml"));
}

function git(cwd: string, ...args: string[]): void {
  execFileSync("git", ["-c", "user.name=T", "-c", "user.email=t@multica.invalid", "-c", "init.defaultBranch=main", ...args], { cwd, stdio: "ignore" });
}

describe("multica execenv list", () => {
  it("is empty where there is no root, and fails nowhere", async () => {
    const { run } = world();
    expect(await run(["list", "--json"])).toMatchObject({ code: 0, json: { envs: [], totals: { envs: 0 } } });
    expect((await run(["list"])).stdout).toContain("No environments");
  });

  it("says how much of a size could be made again", async () => {
    const w = world();
    const { workdir } = await w.make("1");
    put(join(workdir, "app", "node_modules", "lib.js"), "x".repeat(5000));
    put(join(workdir, ".git", "node_modules", "not-an-artifact"), "x".repeat(300));
    const { json } = await w.run(["list", "--size", "--json"]);
    const [env] = json["envs"] as { size_bytes: number; artifact_bytes: number }[];
    expect(env?.artifact_bytes).toBe(5000);
    expect(env?.size_bytes).toBeGreaterThan(5300);
  });

  it("tells states apart and leaves out what is the daemon's own", async () => {
    const w = world();
    await w.make("1", { provider: "codex" });
    await holdElsewhere(w, taskId("2"));
    put(join(w.root, WORKSPACE, "not-ours", "file"), "x");
    const old = await w.make("3");
    utimesSync(old.root, 1, 1);
    for (const name of [".repos", ".skill-cache"]) mkdirSync(join(w.root, name, "x"), { recursive: true });
    mkdirSync(join(w.root, WORKSPACE, ".gc-x"));
    const { code, json } = await w.run(["list", "--size", "--json"]);
    expect(code).toBe(0);
    expect(envs(json).map(({ segment, state, provider }) => [segment, state, provider])).toEqual([
      ["000000000001", "idle", "codex"],
      ["000000000002", "active", "acp"],
      ["000000000003", "orphan", "acp"],
      ["not-ours", "foreign", ""],
    ]);
    expect(envs((await w.run(["list", "--state", "active", "--json"])).json)).toHaveLength(1);
    expect(envs((await w.run(["list", "--provider", "codex", "--issue", ISSUE, "--json"])).json)).toHaveLength(1);
    expect((await w.run(["list"])).stdout).toMatch(/ENV +KIND +PARENT +PROVIDER +STATE +LAST USED/);
  });

  it("counts findings on request", async () => {
    const w = world();
    writeFileSync(join(w.shared, "auth.json"), "{}");
    damage((await w.make("1", { provider: "codex" })).codexHome);
    expect(envs((await w.run(["list", "--check", "--json"])).json)[0]?.findings?.error).toBeGreaterThanOrEqual(2);
  });
});

describe("multica execenv inspect", () => {
  it("finds an environment by every kind of name", async () => {
    const w = world();
    const one = await w.make("abcdef0001", { provider: "codex" });
    const names = [one.root, one.codexHome, join(one.workdir, ".multica"), `${WORKSPACE}/00abcdef0001`, "00abcdef0001", "00abcd", `task:${taskId("abcdef0001")}`, taskId("abcdef0001"), `issue:${ISSUE}`, ISSUE];
    for (const name of names) expect([name, (await w.run(["inspect", name, "--json"])).json["segment"]]).toEqual([name, "00abcdef0001"]);
    for (const cwd of [one.workdir, one.codexHome]) expect((await w.run(["show", "--json"], { cwd })).json["segment"]).toBe("00abcdef0001");
    // As a shell completes it.
    const cwd = dirname(dirname(dirname(one.root)));
    expect((await w.run(["inspect", `${relative(cwd, one.root)}/`, "--json"], { cwd })).json["segment"]).toBe("00abcdef0001");
  });

  it("changes nothing, says what is wrong and ends with 8; with 0 when nothing is", async () => {
    const w = world();
    writeFileSync(join(w.shared, "auth.json"), '{"token":"secret-of-the-user"}');
    const one = await w.make("1", { provider: "codex" });
    const right = await w.run(["inspect", one.root]);
    expect([right.code, right.stdout.includes("Nothing is wrong")]).toEqual([0, true]);
    damage(one.codexHome);
    const before = treeHash(w.root);
    const wrong = await w.run(["inspect", one.root]);
    expect(wrong.code).toBe(8);
    for (const word of ["CH_SESSIONS_MISSING", "CH_AUTH_BROKEN", "CH_CONFIG_MISSING", "multica execenv heal"]) expect(wrong.stdout).toContain(word);
    const json = await w.run(["inspect", one.root, "--json"]);
    expect(json.code).toBe(8);
    expect(treeHash(w.root)).toBe(before);
    expect(wrong.stdout + json.stdout).not.toContain("secret-of-the-user");
  });

  it("shows the checkouts in it, and what each of its files says about whom it belongs to", async () => {
    const w = world();
    const made = await w.make("1");
    makeRemote(testGit(), join(made.workdir, "repo"));
    writeFileSync(join(made.root, ".managed_env.json"), "torn");
    const text = (await w.run(["inspect", made.root])).stdout;
    expect(text).toMatch(/repo +isolated +main +1 commit on no remote/);
    expect(text).toMatch(/provenance +missing or unreadable/);
    expect(text).toMatch(/marker +0f6d3c1e-\S+ +0f6d3c1e-/);
  });

  it("tells unknown (4), ambiguous (2) and outside (5) apart", async () => {
    const w = world();
    await w.make("abcdef0001");
    await w.make("abcdef0002", { task: { issueId: "other" } });
    expect((await w.run(["inspect", "nothing-like-it"])).code).toBe(4);
    expect((await w.run(["inspect", join(w.root, "nowhere", "x")])).code).toBe(4);
    expect((await w.run(["inspect"])).code).toBe(5);
    const several = await w.run(["inspect", "00abcdef"]);
    expect([several.code, several.stderr.includes("00abcdef0002")]).toEqual([2, true]);
    expect((await w.run(["inspect", tempDir()])).code).toBe(5);
  });
});

describe("multica execenv heal", () => {
  it("says with --dry-run what it would do and writes nothing; then does it; then has nothing to do", async () => {
    const w = world();
    writeFileSync(join(w.shared, "auth.json"), "{}");
    const one = await w.make("1", { provider: "codex" });
    damage(one.codexHome);
    const before = [treeHash(w.root), treeHash(w.home)];
    for (const flag of ["--dry-run", "--check"]) {
      const dry = await w.run(["heal", one.root, flag, "--json"]);
      expect(dry.code).toBe(8);
      const errors = findings(dry.json).filter((one) => one.severity === "error");
      expect(errors.map((one) => one.status)).toEqual(["would_heal", "would_heal", "would_heal"]);
    }
    expect([treeHash(w.root), treeHash(w.home)]).toEqual(before);
    const healed = await w.run(["heal", one.root, "--json"]);
    expect([healed.code, healed.json["dry_run"], healed.json["summary"]]).toEqual([0, false, { envs: 1, healed: 1, remaining: 0, failed: 0, busy: 0 }]);
    expect(readFileSync(join(one.codexHome, "config.toml"), "utf8")).toContain("network_access = true");
    const after = treeHash(one.root);
    const again = await w.run(["heal", one.root, "--json"]);
    expect([again.code, findings(again.json).filter((one) => one.status === "healed")]).toEqual([0, []]);
    expect(treeHash(one.root)).toBe(after);
  });

  it("takes the environment around the current directory, although a marker makes it look like a task's", async () => {
    const w = world();
    const one = await w.make("1", { provider: "codex" });
    rmSync(join(one.codexHome, "sessions"));
    expect((await w.run(["heal"], { cwd: one.workdir })).code).toBe(0);
    expect(existsSync(join(one.codexHome, "sessions"))).toBe(true);
  });

  it("does not touch what a living process holds (7), and heals the others with --all", async () => {
    const w = world();
    await holdElsewhere({ ...w }, taskId("2"));
    const held = join(w.root, WORKSPACE, "000000000002");
    rmSync(join(held, "output"), { recursive: true });
    rmSync(join(held, "multica-config"), { recursive: true });
    const one = await w.make("1", { provider: "codex" });
    rmSync(join(one.codexHome, "sessions"));
    put(join(w.root, WORKSPACE, "not-ours", "file"), "x");
    const before = treeHash(held);
    const all = await w.run(["heal", "--all", "--json"]);
    expect([all.code, all.json["summary"]]).toEqual([7, { envs: 2, healed: 1, remaining: 0, failed: 0, busy: 1 }]);
    expect(treeHash(held)).toBe(before);
  });

  it("resets only the named part of a configuration and keeps the old one", async () => {
    const w = world();
    writeFileSync(join(w.shared, "config.toml"), 'model_provider = "shared"\nmodel = "shared"\n');
    const one = await w.make("1", { provider: "codex" });
    const path = join(one.codexHome, "config.toml");
    writeFileSync(path, readFileSync(path, "utf8").replaceAll('"shared"', '"mine"'));
    expect((await w.run(["heal", one.root])).code).toBe(0);
    expect(readFileSync(path, "utf8")).toContain('model_provider = "mine"');
    const reset = await w.run(["heal", one.root, "--reset-config=model_provider", "--json"]);
    expect([reset.code, readFileSync(path, "utf8")]).toEqual([0, expect.stringMatching(/model_provider = "shared"[^]*model = "mine"/)]);
    const kept = (reset.json["envs"] as { findings: { backup: string | null }[] }[])[0]?.findings.find((one) => one.backup !== null)?.backup;
    expect(readFileSync(join(one.root, kept ?? "nowhere"), "utf8")).toContain('model_provider = "mine"');
  });

  it("refuses a code that no finding has (2), and names the line of the user's file that is no TOML", async () => {
    const w = world();
    const made = await w.make("1", { provider: "codex" });
    const wrong = await w.run(["heal", made.root, "--only", "CH_AUTH_MISSING,CH_TYPO"]);
    expect([wrong.code, wrong.stderr.includes("CH_TYPO")]).toEqual([2, true]);
    writeFileSync(join(made.codexHome, "config.toml"), "a = 1\nb = = 2\n");
    expect((await w.run(["heal", made.root])).stdout).toContain("(line 2)");
  });

  it("refuses what is not ours (5)", async () => {
    const w = world();
    put(join(w.root, WORKSPACE, "not-ours", "file"), "x");
    const before = treeHash(w.root);
    expect((await w.run(["heal", join(w.root, WORKSPACE, "not-ours")])).code).toBe(5);
    expect(treeHash(w.root)).toBe(before);
  });
});

describe("inside a task", () => {
  it("only the own environment can be looked at, and none can be changed", async () => {
    const w = world();
    const own = await w.make("1");
    const other = await w.make("2", { task: { issueId: "other" } });
    const env = { MULTICA_TASK_ID: taskId("1"), MULTICA_AGENT_ID: "a", MULTICA_TASK_CONFIG_ROOT: join(own.root, "multica-config"), MULTICA_TASK_WORKSPACES_ROOT: w.root };
    expect(envs((await w.run(["list", "--json"], { env })).json).map((one) => one.segment)).toEqual(["000000000001"]);
    expect((await w.run(["inspect", "--json"], { env, cwd: own.workdir })).json["segment"]).toBe("000000000001");
    expect((await w.run(["inspect", other.root], { env })).code).toBe(1);
    for (const args of [["heal", own.root], ["heal", "--all"], ["gc", "--offline"], ["clean", own.root, "--yes"]]) {
      const refused = await w.run(args, { env });
      expect([args[0], refused.code, refused.stderr.includes("inside a daemon-managed task")]).toEqual([args[0], 1, true]);
    }
    expect(existsSync(other.root)).toBe(true);
  });
});

describe("multica execenv clean", () => {
  it("asks before it deletes, and without a terminal refuses (2)", async () => {
    const w = world();
    const one = await w.make("1");
    expect((await w.run(["clean", one.root])).code).toBe(2);
    expect((await w.run(["clean", "--yes"])).code).toBe(2);
    const before = treeHash(w.root);
    const dry = await w.run(["clean", one.root, "--dry-run", "--json"]);
    expect([dry.code, (dry.json["envs"] as { status: string }[])[0]?.status]).toEqual([0, "would_clean"]);
    expect(treeHash(w.root)).toBe(before);
    expect((await w.run(["clean", one.root, "--yes"])).code).toBe(0);
    expect(readdirSync(join(w.root, WORKSPACE))).toEqual([]);
  });

  it("removes directories that were made unwritable, and never what links point at", async () => {
    const w = world();
    const outside = tempDir();
    writeFileSync(join(outside, "keep"), "x");
    const one = await w.make("1", { provider: "codex" });
    put(join(one.workdir, "cache", "mod", "file"), "x");
    symlinkSync(outside, join(one.workdir, "cache", "link"));
    chmodSync(join(one.workdir, "cache", "mod"), 0o555);
    chmodSync(join(one.workdir, "cache"), 0o555);
    expect((await w.run(["clean", one.root, "--yes"])).code).toBe(0);
    expect([existsSync(one.root), readFileSync(join(outside, "keep"), "utf8"), existsSync(join(w.shared, "sessions"))]).toEqual([false, "x", true]);
  });

  it("keeps output and logs with --workdir, and everything but build products with --artifacts", async () => {
    const w = world();
    const one = await w.make("1");
    put(join(one.workdir, "app", "node_modules", "x", "y"), "x".repeat(1000));
    put(join(one.workdir, "app", "src", "z"), "z");
    put(join(one.root, "logs", "l"), "l");
    expect((await w.run(["clean", one.root, "--artifacts", "--yes"])).code).toBe(0);
    expect([existsSync(join(one.workdir, "app", "node_modules")), existsSync(join(one.workdir, "app", "src", "z"))]).toEqual([false, true]);
    expect((await w.run(["clean", one.root, "--workdir", "--yes"])).code).toBe(0);
    expect([existsSync(one.workdir), existsSync(join(one.root, "logs", "l"))]).toEqual([false, true]);
  });

  it("refuses work that exists nowhere else (5) until told to discard it", async () => {
    const w = world();
    const one = await w.make("1");
    const checkout = join(one.workdir, "repo");
    mkdirSync(checkout);
    git(checkout, "init", "-q");
    put(join(checkout, "file"), "x");
    const refused = await w.run(["clean", one.root, "--yes"]);
    expect([refused.code, refused.stdout.includes("uncommitted changes")]).toEqual([5, true]);
    git(checkout, "add", "-A");
    git(checkout, "commit", "-qm", "work");
    expect((await w.run(["clean", one.root, "--yes"])).stdout).toContain("1 commit on no remote");
    expect((await w.run(["clean", one.root, "--workdir", "--yes"])).code).toBe(5);
    expect(existsSync(join(checkout, "file"))).toBe(true);
    const gone = await w.run(["clean", one.root, "--yes", "--discard-work"]);
    expect([gone.code, existsSync(one.root)]).toEqual([0, false]);
    expect(gone.stdout).toMatch(/^Kept for 30 days: .*\/repo: .*, moved to (.*) \(multica repo rescue drop [0-9a-f]{12} deletes it\)$/m);
    const [, directory = ""] = /moved to (\S+)/.exec(gone.stdout) ?? [];
    expect(testGit(tempDir())(directory, "log", "--format=%s")).toBe("work");
    // The next look at the environments does not take it for one, and the collector leaves it alone.
    expect((await w.run(["list", "--json"])).stdout).not.toContain("kept");
    expect((await w.run(["gc", "--offline", "--repos"])).code).toBe(0);
    expect(existsSync(directory)).toBe(true);
  });

  it.each(["linked", "isolated"] as const)("keeps discarded work as rescues and names them, in text and JSON (%s checkout)", async (mode) => {
    const w = world();
    const one = await w.make("1");
    const testing = testGit(tempDir());
    const remote = makeRemote(testing, join(tempDir(), "api"), "main", { "README.md": "hello\n", ".gitignore": "ignored/\n" });
    const cache = createRepoCache({ root: w.root, clock: systemClock, logger: silentLogger, env: testing.env });
    await cache.ensure(WORKSPACE, remote);
    const { path } = await cache.checkout({ workspaceId: WORKSPACE, url: remote, workdir: one.workdir, taskId: taskId("1"), agentName: "Ada", mode });
    await cache.close();
    put(join(path, "new.txt"), "mine");
    const commit = commitFiles(testing, path, { "second.txt": "2" });
    put(join(path, "open.txt"), "open");
    put(join(one.workdir, "own", "file"), "x");
    testing(join(one.workdir, "own"), "init", "-q");
    expect((await w.run(["clean", one.root, "--yes"])).code).toBe(5);
    expect((await w.run(["clean", one.root, "--dry-run", "--discard-work"])).stdout).toContain("would be saved first");
    const result = await w.run(["clean", one.root, "--yes", "--discard-work", "--workdir", "--json"]);
    const [report] = result.json["envs"] as { status: string; saved: { ref: string; commit: string; path: string }[]; moved: { path: string; directory: string; id: string }[] }[];
    expect([result.code, report?.status, report?.moved.map((work) => work.path)]).toEqual([0, "cleaned", [join(one.workdir, "own")]]);
    expect(readFileSync(join(report?.moved[0]?.directory ?? "", "file"), "utf8")).toBe("x");
    expect(existsSync(path)).toBe(false);
    const bare = cache.cachePath(WORKSPACE, remote);
    const kept = (report?.saved ?? []).map((work) => testing(bare, "rev-parse", work.ref));
    expect(kept).toHaveLength(2);
    expect(kept).toEqual(report?.saved.map((work) => work.commit));
    expect(kept.map((id) => testing(bare, "ls-tree", "--name-only", id)).join("\n")).toContain("open.txt");
    expect(() => testing(bare, "merge-base", "--is-ancestor", commit, kept.at(-1) ?? "")).not.toThrow();
  });

  it("deletes no work of an agent that happens to lie in a directory with the name of build products", async () => {
    const w = world();
    const one = await w.make("1");
    const repo = join(one.workdir, "repo");
    put(join(repo, ".gitignore"), "/a/node_modules/\n");
    git(one.workdir, "init", "-q", "repo");
    for (const name of ["a", "b"]) put(join(repo, name, "node_modules", "x"), name);
    expect((await w.run(["clean", one.root, "--artifacts", "--yes"])).code).toBe(0);
    expect(["a", "b"].map((name) => existsSync(join(repo, name, "node_modules", "x")))).toEqual([false, true]);
  });

  it("does not run what an agent wrote into a git configuration", async () => {
    const w = world();
    const one = await w.make("1");
    const checkout = join(one.workdir, "repo");
    mkdirSync(checkout);
    git(checkout, "init", "-q");
    put(join(checkout, "file"), "x");
    const proof = join(w.home, "executed");
    writeFileSync(join(checkout, ".git", "config"), `[filter "x"]\n\tclean = touch ${proof}\n[core]\n\tfsmonitor = touch ${proof}\n`);
    writeFileSync(join(checkout, ".gitattributes"), "* filter=x\n");
    expect((await w.run(["clean", one.root, "--yes"])).code).toBe(5);
    expect(existsSync(proof)).toBe(false);
  });

  it("leaves alone what is held (7), not ours (5), a link (5) or outside the root (5)", async () => {
    const w = world();
    await holdElsewhere(w, taskId("2"));
    const outside = tempDir();
    put(join(outside, ".multica_env.json"), "{}");
    put(join(w.root, WORKSPACE, "not-ours", "file"), "x");
    symlinkSync(outside, join(w.root, WORKSPACE, "linked-root"));
    const before = [treeHash(w.root), treeHash(outside)];
    const codes = [];
    for (const name of ["000000000002", "not-ours", "linked-root", outside]) codes.push((await w.run(["clean", name, "--yes", "--discard-work"])).code);
    expect(codes).toEqual([7, 5, 5, 5]);
    expect([treeHash(w.root), treeHash(outside)]).toEqual(before);
  });

  it("takes all orphans, or all that rested for long", async () => {
    const w = world();
    const old = await w.make("1");
    await w.make("2");
    utimesSync(old.root, 1, 1);
    await w.make("3", { now: () => Date.now() - 40 * 86_400_000 });
    expect((await w.run(["clean", "--orphans", "--yes"])).code).toBe(0);
    expect(readdirSync(join(w.root, WORKSPACE))).toEqual(["000000000002", "000000000003"]);
    expect((await w.run(["clean", "--older-than", "30d", "--yes"])).code).toBe(0);
    expect(readdirSync(join(w.root, WORKSPACE))).toEqual(["000000000002"]);
  });
});

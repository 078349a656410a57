import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, symlinkSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { resolveGcSettings } from "../../../src/lib/config/index.ts";
import { collectGarbage, sweepSessionStores, sweepTempDirs, writeGcMeta } from "../../../src/lib/execenv/index.ts";
import { systemClock } from "../../../src/lib/platform/index.ts";
import { WORKSPACE, put } from "../../support/execenv.ts";
import { taskId, world } from "../../support/execenv-world.ts";
import { tempDir } from "../../support/temp.ts";

const HOUR = 3_600_000;
const MEGABYTE = 1 << 20;

type World = ReturnType<typeof world>;

/** An environment whose last task ended some hours ago, with a megabyte of work and one of things a build makes again. */
async function ended(w: World, tail: string, issueId: string, hours: number) {
  const env = await w.make(tail, { task: { issueId } });
  put(join(env.workdir, "work.txt"), "w".repeat(MEGABYTE));
  put(join(env.workdir, "node_modules", "x.js"), "m".repeat(MEGABYTE));
  await writeGcMeta({ root: env.root, workspaceId: WORKSPACE, taskId: taskId(tail), task: { issueId }, nowMs: Date.now() - hours * HOUR });
  return env;
}

/** One cycle whose ordinary limits let nothing go. */
async function cycle(w: World, pressure: { maxBytes: number; minFreeBytes: number }, change: { isActive?: (root: string) => boolean; dryRun?: boolean } = {}) {
  const states: Record<string, string> = { done: "done", open: "in_progress" };
  const reports = await collectGarbage({
    workspacesRoot: w.root,
    limits: { ttlMs: 1000 * HOUR, orphanTtlMs: 1000 * HOUR, artifactTtlMs: 1000 * HOUR, completedTaskTtlMs: 0, artifactPatterns: ["node_modules"] },
    ask: (parents) => Promise.resolve(new Map(parents.map(({ kind, id }) => [`${kind}:${id}`, { kind: "found", status: states[id] ?? "", changedAtMs: Date.now() }] as const))),
    pressure,
    dryRun: false,
    clock: systemClock,
    env: w.env,
    ...change,
  });
  return Object.fromEntries(reports.map((report) => [report.id.slice(-1), `${report.action} ${report.status}`]));
}

const there = (path: string, ...rest: string[]): boolean => existsSync(join(path, ...rest));

describe("space that is short", () => {
  it("takes what a build makes again, longest unused first, and stops when there is enough", async () => {
    const w = world();
    const old = await ended(w, "1", "open", 9);
    const newer = await ended(w, "2", "open", 2);
    expect(await cycle(w, { maxBytes: 0, minFreeBytes: 0 })).toEqual({ "1": "skip kept", "2": "skip kept" });
    expect(await cycle(w, { maxBytes: 3.5 * MEGABYTE, minFreeBytes: 0 })).toEqual({ "1": "artifacts cleaned", "2": "skip kept" });
    expect([there(old.workdir, "node_modules"), there(old.workdir, "work.txt"), there(newer.workdir, "node_modules")]).toEqual([false, true, true]);
  });

  it("then takes environments whose issue has ended, never others, even if that is not enough", async () => {
    const w = world();
    const done = await ended(w, "1", "done", 3);
    const open = await ended(w, "2", "open", 9);
    const unknown = await ended(w, "3", "nobody knows", 9);
    const busy = await ended(w, "4", "done", 9);
    const working = await ended(w, "5", "done", 9);
    mkdirSync(join(working.workdir, "repo"));
    execFileSync("git", ["init", "-q"], { cwd: join(working.workdir, "repo") });
    put(join(working.workdir, "repo", "new.ts"), "not committed");
    const never = { maxBytes: 0, minFreeBytes: Number.MAX_SAFE_INTEGER };
    const result = await cycle(w, never, { isActive: (root) => root === busy.root });
    expect(result).toEqual({ "1": "clean cleaned", "2": "artifacts cleaned", "3": "artifacts cleaned", "4": "skip kept", "5": "artifacts cleaned" });
    expect(existsSync(done.root)).toBe(false);
    for (const env of [open, unknown, busy, working]) expect(there(env.workdir, "work.txt")).toBe(true);
    expect([there(busy.workdir, "node_modules"), there(working.workdir, "repo", "new.ts")]).toEqual([true, true]);
  });

  it("deletes nothing in a rehearsal", async () => {
    const w = world();
    const env = await ended(w, "1", "done", 3);
    expect(await cycle(w, { maxBytes: 1, minFreeBytes: 0 }, { dryRun: true })).toEqual({ "1": "clean would_clean" });
    expect(there(env.workdir, "node_modules")).toBe(true);
  });
});

describe("artifacts", () => {
  it("are directories, never what a link leads to, never inside .git (G-9)", async () => {
    const w = world();
    const env = await ended(w, "1", "open", 3);
    const outside = tempDir();
    put(join(outside, "keep"), "x");
    mkdirSync(join(env.workdir, "sub"));
    symlinkSync(outside, join(env.workdir, "sub", "node_modules"));
    put(join(env.workdir, "repo", ".git", "node_modules", "keep"), "x");
    put(join(env.workdir, "a", "b", "keep"), "x");
    await cycle(w, { maxBytes: 0, minFreeBytes: Number.MAX_SAFE_INTEGER });
    expect([there(outside, "keep"), there(env.workdir, "repo", ".git", "node_modules", "keep"), there(env.workdir, "a", "b", "keep"), there(env.workdir, "node_modules")]).toEqual([true, true, true, false]);
    expect(resolveGcSettings({ MULTICA_GC_ARTIFACT_PATTERNS: "a/b,.git,dist" }).artifactPatterns).toEqual(["dist"]);
  });
});

describe("stored sessions", () => {
  const DAY = 24 * HOUR;
  const age = (path: string, days: number): void => utimesSync(path, (Date.now() - days * DAY) / 1000, (Date.now() - days * DAY) / 1000);

  it("go when nobody took them up for long; those of another profile, linked and young ones stay", async () => {
    const w = world();
    const sharedHome = join(w.home, ".codex");
    const store = (namespace: string, agent: string, name: string, days: number): string => {
      const path = join(sharedHome, "multica-sessions", namespace, agent, name);
      put(join(path, "2026", "rollout.jsonl"), "x");
      for (const part of ["2026/rollout.jsonl", "2026", "."]) age(join(path, part), days);
      return path;
    };
    const old = store("default", "a", "old", 20);
    const young = store("default", "a", "young", 3);
    const linked = store("default", "a", "linked", 20);
    const foreign = store(`p_${"0".repeat(64)}`, "a", "old", 20);
    const alone = store("default", "lonely", "old", 20);
    const env = await w.make("1");
    const sessions = join(env.root, "codex-home", "sessions");
    mkdirSync(join(env.root, "codex-home"), { recursive: true });
    if (existsSync(sessions)) execFileSync("rm", ["-rf", sessions]);
    symlinkSync(linked, sessions);
    const sweep = (dryRun: boolean, ttlMs = 14 * DAY) =>
      sweepSessionStores({ workspacesRoot: w.root, sharedHome, profile: "", ttlMs, nowMs: Date.now(), dryRun });
    expect(await sweep(false, 0)).toEqual([]);
    expect((await sweep(true)).map((one) => [one.path, one.status]).sort()).toEqual([[alone, "would_remove"], [old, "would_remove"]].sort());
    expect((await sweep(false)).map((one) => one.status)).toEqual(["removed", "removed"]);
    expect([old, young, linked, foreign, alone].map((path) => existsSync(path))).toEqual([false, true, true, true, false]);
    expect(readdirSync(join(sharedHome, "multica-sessions", "default"))).toEqual(["a"]);
  });
});

describe("temporary directories without a lock file", () => {
  it("go only when that is asked for, they are old and not empty", async () => {
    const base = tempDir("multica-sweep-");
    const make = (name: string, content: boolean): void => {
      mkdirSync(join(base, name));
      if (content) put(join(base, name, "x"), "x");
      for (const path of content ? [join(base, name, "x"), join(base, name)] : [join(base, name)]) utimesSync(path, 1, 1);
    };
    make("multica-task-old", true);
    make("multica-task-empty", false);
    mkdirSync(join(base, "multica-task-young"));
    put(join(base, "multica-task-young", "x"), "x");
    const sweep = async (legacyTtlMs?: number) => (await sweepTempDirs({ base, dryRun: false, nowMs: Date.now(), ...(legacyTtlMs === undefined ? {} : { legacyTtlMs }) })).map((one) => one.status);
    expect(await sweep()).toEqual([]);
    expect(await sweep(HOUR)).toEqual(["removed"]);
    expect(readdirSync(base).sort()).toEqual(["multica-task-empty", "multica-task-young"]);
  });
});

describe("the collector's settings", () => {
  it("know sizes, and the vendor's cloud", () => {
    expect(resolveGcSettings({ MULTICA_GC_MAX_BYTES: "1.5GiB", MULTICA_GC_MIN_FREE: "500M" })).toMatchObject({ maxBytes: 1.5 * 2 ** 30, minFreeBytes: 500 * 2 ** 20, completedTaskTtlMs: 0 });
    expect(resolveGcSettings({}, "https://api.multica.ai/x").completedTaskTtlMs).toBe(14 * 24 * HOUR);
    expect(() => resolveGcSettings({ MULTICA_GC_MAX_BYTES: "lots" })).toThrow(/MULTICA_GC_MAX_BYTES/);
  });
});

// execenv.md 18, cases 51 (on disk; the table: unit/execenv/gc-decision.test.ts), 52 and 58.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { sweepTempDirs, writeGcMeta } from "../../../src/lib/execenv/index.ts";
import { tryFileLock } from "../../../src/lib/platform/index.ts";
import { WORKSPACE, put } from "../../support/execenv.ts";
import { holdElsewhere, taskId, treeHash, world } from "../../support/execenv-world.ts";
import { tempDir } from "../../support/temp.ts";

// Acceptance cases of execenv.md 18 that are not here. 51 "batch dedup, fallback once": the command asks for one parent at
// a time; only the daemon's loop will have batches. 50 and the stores of Hermes: that provider's home is not built.

const HOUR = 3_600_000;

/** A server that knows some issues: id → state and when it was changed. */
async function issueServer(issues: Record<string, { status: string; hours: number }>): Promise<{ url: string; asked: string[] }> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const id = /\/api\/daemon\/issues\/([^/]+)\/gc-check$/.exec(request.url ?? "")?.[1];
    asked.push(request.url ?? "");
    const issue = id === undefined ? undefined : issues[id];
    const send = (status: number, type: string, body: string): void => void response.writeHead(status, { "Content-Type": type }).end(body);
    if (id === undefined) send(404, "text/plain", "404 page not found");
    else if (id === "broken") send(500, "application/json", '{"error":"no"}');
    else if (issue === undefined) send(404, "application/json", '{"error":"issue not found"}');
    else send(200, "application/json", JSON.stringify({ status: issue.status, updated_at: new Date(Date.now() - issue.hours * HOUR).toISOString() }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

type World = ReturnType<typeof world>;

async function ended(w: World, tail: string, issueId: string, options: { chat?: string; hours?: number } = {}) {
  const task = { issueId, ...(options.chat === undefined ? {} : { chatSessionId: options.chat }) };
  const env = await w.make(tail, { task });
  await writeGcMeta({ root: env.root, workspaceId: WORKSPACE, taskId: taskId(tail), task, nowMs: Date.now() - (options.hours ?? 1) * HOUR });
  return env;
}

const actions = (json: Record<string, unknown>): Record<string, string> =>
  Object.fromEntries((json["envs"] as { id: string; action: string; status: string }[]).map((env) => [env.id.slice(-1), `${env.action} ${env.status}`]));

describe("multica execenv gc", () => {
  it("deletes what is finished, keeps what is not or cannot be told, and asks once for each parent", async () => {
    const w = world();
    await ended(w, "1", "done-long");
    await ended(w, "2", "done-long");
    await ended(w, "3", "open");
    const building = await ended(w, "4", "open", { hours: 20 });
    put(join(building.workdir, "node_modules", "x", "y"), "z".repeat(2000));
    await ended(w, "5", "broken");
    await ended(w, "6", "", { chat: "unknown-route" });
    const missing = await ended(w, "7", "nowhere");
    utimesSync(missing.root, 1, 1);
    await ended(w, "8", "nowhere");
    const { url, asked } = await issueServer({ "done-long": { status: "done", hours: 30 }, open: { status: "in_progress", hours: 30 } });
    const env = { MULTICA_SERVER_URL: url, MULTICA_TOKEN: "mul_test" };
    const expected = { "1": "clean", "2": "clean", "3": "skip", "4": "artifacts", "5": "skip", "6": "skip", "7": "orphan", "8": "skip" };
    const with_ = (done: string): Record<string, string> => Object.fromEntries(Object.entries(expected).map(([key, action]) => [key, `${action} ${action === "skip" ? "kept" : done}`]));
    const before = treeHash(w.root);
    const dry = await w.run(["gc", "--dry-run", "--json"], { env });
    expect([dry.code, actions(dry.json)]).toEqual([0, with_("would_clean")]);
    expect(treeHash(w.root)).toBe(before);
    expect(asked.filter((path) => path.includes("done-long"))).toHaveLength(1);
    const real = await w.run(["gc", "--json"], { env });
    expect([real.code, actions(real.json)]).toEqual([0, with_("cleaned")]);
    expect(readdirSync(join(w.root, WORKSPACE)).map((name) => name.slice(-1))).toEqual(["3", "4", "5", "6", "8"]);
    expect(existsSync(join(building.workdir, "node_modules"))).toBe(false);
  });

  it("keeps what is in use and work that exists nowhere else", async () => {
    const w = world();
    await holdElsewhere(w, taskId("1"));
    await writeGcMeta({ root: join(w.root, WORKSPACE, "000000000001"), workspaceId: WORKSPACE, taskId: taskId("1"), task: { issueId: "done-long" }, nowMs: Date.now() - 90 * HOUR });
    const working = await ended(w, "2", "done-long");
    mkdirSync(join(working.workdir, "repo"));
    execFileSync("git", ["init", "-q"], { cwd: join(working.workdir, "repo") });
    put(join(working.workdir, "repo", "new.ts"), "not committed");
    const { url } = await issueServer({ "done-long": { status: "done", hours: 30 } });
    const result = await w.run(["gc", "--json"], { env: { MULTICA_SERVER_URL: url, MULTICA_TOKEN: "mul_test" } });
    expect([result.code, actions(result.json)]).toEqual([0, { "1": "skip kept", "2": "clean refused" }]);
    expect(existsSync(join(working.workdir, "repo", "new.ts"))).toBe(true);
  });

  it("decides offline by what is on disk alone, spares caches and strangers, and removes empty workspaces", async () => {
    const w = world();
    const orphan = await w.make("1");
    utimesSync(orphan.root, 1, 1);
    await ended(w, "2", "whatever", { hours: 1000 });
    for (const name of [".repos/x", ".skill-cache/v1"]) put(join(w.root, name, "f"), "x");
    put(join(w.root, "stranger", "dir", "f"), "x");
    mkdirSync(join(w.root, "empty-workspace"));
    const outside = tempDir();
    put(join(outside, "env", ".multica_env.json"), "{}");
    symlinkSync(join(outside, "env"), join(w.root, WORKSPACE, "linked"));
    put(join(w.root, WORKSPACE, ".gc-000000000009-0123456789ab", "rest"), "of a deletion that was cut off");
    utimesSync(join(w.root, "stranger", "dir"), 1, 1);
    const result = await w.run(["gc", "--offline"]);
    expect(result.code).toBe(0);
    expect(readdirSync(join(w.root, WORKSPACE))).toEqual(["000000000002", "linked"]);
    expect(readdirSync(w.root).sort()).toEqual([".multica", ".repos", ".skill-cache", WORKSPACE, "stranger"].sort());
    expect(existsSync(join(outside, "env", ".multica_env.json"))).toBe(true);
  });

  it("needs somebody signed in when it is to ask (3)", async () => {
    const w = world();
    expect((await w.run(["gc"], { env: { MULTICA_SERVER_URL: "http://127.0.0.1:9" } })).code).toBe(3);
  });
});

describe("temporary directories of tasks", () => {
  it("go when nobody holds their lock; all others stay", async () => {
    const base = tempDir("multica-sweep-");
    const make = (name: string, lock: boolean): string => {
      const path = join(base, name);
      put(join(path, "content", "x"), "x");
      if (lock) writeFileSync(join(path, ".task_lock"), "");
      return path;
    };
    make("multica-task-dead", true);
    const live = make("multica-task-live", true);
    make("multica-task-claiming", false);
    make("other-dir", true);
    symlinkSync(live, join(base, "multica-task-link"));
    const held = tryFileLock(join(live, ".task_lock"));
    const soon = { base, dryRun: false, nowMs: Date.now() };
    expect(await sweepTempDirs(soon)).toEqual([]);
    const later = { ...soon, nowMs: Date.now() + 2 * 60_000 };
    expect((await sweepTempDirs({ ...later, dryRun: true })).map((one) => one.status)).toEqual(["would_remove"]);
    expect(await sweepTempDirs(later)).toEqual([{ path: join(base, "multica-task-dead"), status: "removed", error: null }]);
    expect(readdirSync(base).sort()).toEqual(["multica-task-claiming", "multica-task-link", "multica-task-live", "other-dir"]);
    held?.release();
    expect((await sweepTempDirs(later)).map((one) => one.path)).toEqual([live]);
  });
});

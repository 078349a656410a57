import { mkdirSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runShort } from "../../../src/lib/platform/process/run-short.ts";
import { answeringServer } from "../../support/answering-server.ts";
import { tempDir } from "../../support/temp.ts";

const bin = join(import.meta.dirname, "..", "..", "..", "bin", "run.js");
const DAY = 86_400_000;

interface Report {
  readonly tasks: readonly Record<string, unknown>[];
  readonly workspaces: readonly Record<string, unknown>[];
  readonly [key: string]: unknown;
}

/** A home with environments below its root: `tasks` name → bytes of work and of artifacts. */
function machine() {
  const home = tempDir();
  const put = (path: string, bytes: number): void => {
    mkdirSync(join(path, ".."), { recursive: true });
    writeFileSync(path, "x".repeat(bytes));
  };
  const make = (root: string, workspace: string, name: string, work: number, artifacts: number, meta?: string): string => {
    const path = join(root, workspace, name);
    put(join(path, "workdir", "f"), work);
    if (artifacts > 0) put(join(path, "workdir", "node_modules", "a", "f"), artifacts);
    if (meta !== undefined) writeFileSync(join(path, ".gc_meta.json"), meta);
    return path;
  };
  const env: Record<string, string> = { PATH: process.env["PATH"] ?? "", HOME: home, MULTICA_HOME: join(home, ".multica") };
  const run = async (args: readonly string[], more: Record<string, string> = {}) => {
    const result = await runShort({ command: process.execPath, args: [bin, ...args], cwd: home, env: { ...env, ...more }, timeoutMs: 30_000 });
    const report = args.includes("--json") && result.code === 0 ? (JSON.parse(result.stdout) as Report) : { tasks: [], workspaces: [] };
    return { ...result, report };
  };
  return { home, root: join(home, "multica_workspaces"), make, put, run };
}

const usage = ["daemon", "disk-usage"];
const issue = (id: string, daysAgo = 1): string => JSON.stringify({ kind: "issue", issue_id: id, completed_at: new Date(Date.now() - daysAgo * DAY).toISOString() });

describe("multica daemon disk-usage", () => {
  it("shows nothing of a root that does not exist (D-1)", async () => {
    const { run, root } = machine();
    const { code, report } = await run([...usage, "--json"]);
    expect([code, report["workspaces_root"], report.tasks, report["total_size_bytes"], report["repo_cache_count"]]).toEqual([0, root, [], 0, 0]);
    expect((await run(usage)).stdout).toBe(`Workspaces root: ${root}\nNo environments.\n`);
  });

  it("shows the largest first, cut with totals of all, links not counted, nested artifacts once (D-2, D-3, D-5)", async () => {
    const { run, root, make, put, home } = machine();
    make(root, "11111111-aaaa", "small", 1000, 0, issue("i"));
    const big = make(root, "11111111-aaaa", "big", 3000, 5000, issue("i"));
    make(root, "22222222-bbbb", "middle", 4000, 0, issue("j", 3));
    put(join(big, "workdir", "node_modules", "a", "node_modules", "f"), 1000);
    put(join(big, "workdir", ".git", "objects", "f"), 500);
    put(join(home, "elsewhere", "huge"), 100_000);
    symlinkSync(join(home, "elsewhere"), join(big, "workdir", "linked"));
    put(join(root, ".repos", "11111111-aaaa", "api.git", "pack"), 700);
    const { report } = await run([...usage, "--json", "--top", "1"]);
    const meta = Buffer.byteLength(issue("i"));
    expect(report.tasks).toEqual([expect.objectContaining({ workspace_short: "11111111", task_short: "big", kind: "issue", parent_id: "i", size_bytes: 9500 + meta, artifact_size_bytes: 6000 })]);
    expect([report["total_task_count"], report["total_workspace_count"], report["total_size_bytes"], report["repo_cache_count"], report["repo_cache_size_bytes"]]).toEqual([3, 2, 14_500 + 3 * meta, 1, 700]);
    const text = (await run([...usage, "--top", "1"])).stdout;
    expect(text).toMatch(/PATH\s+KIND\s+STATUS\s+AGE\s+SIZE\s+ARTIFACTS\n11111111\/big\s+issue\s+-\s+1d 0h\s+9\.\d KiB\s+5\.9 KiB\n/);
    expect(text).toContain("Shown: 1 of 3 environments.");
    const byWorkspace = (await run([...usage, "--by-workspace"])).stdout;
    expect(byWorkspace).toMatch(/WORKSPACE\s+TASKS.+\n11111111\s+2\s.+\n22222222\s+1\s+4\.\d KiB\s+0 B\s+0\.0%\s+3d 0h\n/);
  });

  it("takes the directory's age for one whose record says nothing (D-4)", async () => {
    const { run, root, make } = machine();
    const path = make(root, "w", "t", 10, 0, "{broken");
    utimesSync(path, (Date.now() - 5 * DAY) / 1000, (Date.now() - 5 * DAY) / 1000);
    const { report } = await run([...usage, "--json"]);
    expect(report.tasks[0]).toMatchObject({ kind: "unknown", parent_status: "" });
    expect(report.tasks[0]?.["age_seconds"]).toBeGreaterThanOrEqual((5 * DAY) / 1000);
  });

  it("adds the state of issues, and shows the table without it when the server fails (D-6)", async () => {
    const { run, root, make } = machine();
    make(root, "w", "t", 10, 0, issue("i"));
    const states = { "POST /api/daemon/workspaces/w/issues/gc-check": { body: { issues: [{ id: "i", found: true, status: "done", updated_at: "2026-01-01T00:00:00Z" }] } } };
    const { url } = await answeringServer(states);
    expect((await run([...usage, "--json"], { MULTICA_SERVER_URL: url, MULTICA_TOKEN: "mul_t" })).report.tasks[0]).toMatchObject({ parent_status: "done" });
    const failed = await run(usage, { MULTICA_SERVER_URL: "http://127.0.0.1:9", MULTICA_TOKEN: "mul_t" });
    expect([failed.code, failed.stdout.includes("w/t"), failed.stderr]).toEqual([0, true, "warning: the server did not tell the state of every issue\n"]);
  });

  it("goes through all profiles, the default one first", async () => {
    const { run, root, make, home } = machine();
    make(root, "w", "t", 10, 0);
    mkdirSync(join(home, ".multica", "profiles", "work"), { recursive: true });
    writeFileSync(join(home, ".multica", "profiles", "work", "config.json"), "{}");
    make(join(home, "multica_workspaces_work"), "w", "t", 20, 0);
    const { report } = await run([...usage, "--all-profiles", "--json"]);
    expect((report["roots"] as { profile: string }[]).map((one) => one.profile)).toEqual(["", "work"]);
    expect(report["total_size_bytes"]).toBe(30);
  });

  it("refuses flags that exclude each other (2)", async () => {
    const { run } = machine();
    expect([(await run([...usage, "--by-task", "--by-workspace"])).code, (await run([...usage, "--all-profiles", "--workspaces-root", "/x"])).code, (await run([...usage, "--top", "-1"])).code]).toEqual([2, 2, 2]);
  });
});

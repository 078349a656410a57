import { spawn } from "node:child_process";
import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { execFileSync } from "node:child_process";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findByEnv, sendSignal } from "../../src/lib/platform/index.ts";
import { runShort } from "../../src/lib/platform/process/run-short.ts";
import type { QuickstartReport } from "../../src/lib/setup/index.ts";
import { keep, releaseKept } from "../support/at-end.ts";
import { tempDir } from "../support/temp.ts";
import { waitFor } from "../support/wait.ts";

const bin = join(import.meta.dirname, "..", "..", "bin", "run.js");

function scratchEnv(): { home: string; env: Record<string, string> } {
  const home = tempDir("multica-home-");
  mkdirSync(join(home, "tmp"));
  return { home, env: { PATH: process.env["PATH"] ?? "", HOME: home, TMPDIR: join(home, "tmp"), LANG: "C.UTF-8" } };
}

interface Done {
  readonly home: string;
  readonly result: Awaited<ReturnType<typeof runShort>>;
}

/** One run to its end, in a home and a temporary directory of its own. */
async function quickstart(args: readonly string[], change: Record<string, string> = {}): Promise<Done> {
  const { home, env } = scratchEnv();
  return { home, result: await runShort({ command: process.execPath, args: [bin, "quickstart", ...args], cwd: home, env: { ...env, ...change }, timeoutMs: 90_000 }) };
}

// Each waits for its own server, daemon and agent: several at once take hardly longer than one.
let plain: Done;
let kept: Done;
let absent: Done;
let failed: Done;

beforeAll(async () => {
  await keep(async () => {
    const bare = { PATH: `${dirname(process.execPath)}:/usr/bin:/bin`, GIT_CONFIG_NOSYSTEM: "1" };
    [plain, kept, absent, failed] = await Promise.all([
      quickstart(["--json"]),
      quickstart(["--json", "--keep"]),
      quickstart(["--agent", "codex"], bare),
      quickstart(["--repo", "file:///nowhere/at-all.git"]),
    ]);
  });
}, 120_000);

afterAll(releaseKept, 60_000);

describe("multica quickstart", () => {
  it("goes from nothing to a commit and a comment, prints one document and leaves nothing behind", () => {
    const { home, result } = plain;
    expect(result.code, result.stderr).toBe(0);
    const report = JSON.parse(result.stdout) as QuickstartReport;
    expect(report.ok).toBe(true);
    expect(report.issue.status).toBe("in_review");
    expect(report.task).toMatchObject({ status: "completed", attempt: 1 });
    expect(report.repo.commit).toMatch(/^[0-9a-f]{40}$/);
    expect(report.repo.files_changed).toBeGreaterThan(0);
    expect(report.comment).not.toBe("");
    expect(report.messages).toBeGreaterThan(0);
    expect(report.stages.map((stage) => stage.name)).toContain("verify");
    expect(report.kept_dir).toBeUndefined();
    // Nothing in the home, nothing under the temporary directory, no process.
    expect(readdirSync(home)).toEqual(["tmp"]);
    expect(readdirSync(join(home, "tmp"))).toEqual([]);
    expect(findByEnv("TMPDIR", join(home, "tmp"))).toEqual([]);
  });

  it("keeps the scratch home with --keep, and the commit is an object of the cache", () => {
    const { result } = kept;
    expect(result.code, result.stderr).toBe(0);
    const report = JSON.parse(result.stdout) as QuickstartReport;
    const type = execFileSync("git", ["-C", report.repo.cache, "cat-file", "-t", report.repo.commit], { encoding: "utf8" });
    expect(type.trim()).toBe("commit");
    expect(report.kept_dir).toContain("multica-quickstart-");
    rmSync(report.kept_dir ?? "", { recursive: true, force: true });
  });

  it("stops everything it started on Ctrl-C and exits 130", async () => {
    const { home, env } = scratchEnv();
    const child = spawn(process.execPath, [bin, "quickstart"], { cwd: home, env, stdio: ["ignore", "pipe", "pipe"] });
    const exited = new Promise<number | null>((resolve) => child.once("exit", (code) => resolve(code)));
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (output += chunk.toString()));
    await waitFor("the repository stage", () => output.includes("repository"), 30_000);
    sendSignal(child.pid ?? 0, "SIGINT");
    expect(await exited).toBe(130);
    expect(findByEnv("TMPDIR", join(home, "tmp"))).toEqual([]);
    expect(readdirSync(join(home, "tmp"))).toEqual([]);
  });

  it("works in a repository of the person's own and changes nothing of it; one without a commit is refused", async () => {
    const [repo, bare] = [tempDir("multica-repo-"), tempDir("multica-repo-")];
    for (const dir of [repo, bare]) execFileSync("git", ["init", "--quiet", "-b", "trunk", dir]);
    execFileSync("git", ["-C", repo, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "--allow-empty", "-m", "one"]);
    const before = execFileSync("git", ["-C", repo, "for-each-ref"], { encoding: "utf8" });
    const [{ result }, { result: empty }] = await Promise.all([quickstart(["--json", "--repo", repo]), quickstart(["--json", "--repo", bare])]);
    expect([empty.code, empty.stderr]).toEqual([1, expect.stringContaining(`quickstart failed at "repository": ${bare} has no commit yet`)]);
    expect(result.code, result.stderr).toBe(0);
    expect(JSON.parse(result.stdout)).toMatchObject({ ok: true, repo: { url: pathToFileURL(repo).href, files_changed: 1 } });
    expect(execFileSync("git", ["-C", repo, "for-each-ref"], { encoding: "utf8" })).toBe(before);
    expect(execFileSync("git", ["-C", repo, "status", "--short"], { encoding: "utf8" })).toBe("");
  });

  it("says at once that the agent it was asked for is not there, whether git knows the person or not", () => {
    const { home, result } = absent;
    expect(result.code).toBe(1);
    expect(result.stderr).toMatch(/quickstart failed at "runtime": no codex agent to work with: .*\nInstall codex/);
    expect(readdirSync(join(home, "tmp"))).toEqual([]);
  });

  it("names the stage that failed and exits 1", () => {
    const { home, result } = failed;
    expect(result.code).toBe(1);
    expect(result.stderr).toMatch(/quickstart failed at "repository": file:\/\/\/nowhere\/at-all\.git is not a repository that git can read: .*fatal:.*\nGive --repo/);
    expect(result.stderr).toMatch(/The daemon's last words:\n\d\d:\d\d:\d\d\.\d{3} [A-Z]{3} /);
    expect(findByEnv("TMPDIR", join(home, "tmp"))).toEqual([]);
  });
});

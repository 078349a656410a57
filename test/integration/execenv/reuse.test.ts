// execenv.md 18, cases 29 (an environment that a later task continued in), 32, 33 (a workdir that is gone) and 36; kill -9 at any step: crash.test.ts.
import { mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  type Environment,
  type TaskContext,
  prepareEnvironment,
  readRecord,
  resumeGate,
  reuseEnvironment,
  writeBrief,
  writeGcMeta,
} from "../../../src/lib/execenv/index.ts";
import { AGENT, ISSUE, WORKSPACE, machine, prepareInput, put, snapshot } from "../../support/execenv.ts";

const FIRST = "01980000-0000-7000-8000-00000000aaaa";
const SECOND = "01980000-0000-7000-8000-00000000bbbb";
type Place = ReturnType<typeof machine>;

async function prepared(place: Place, provider = "acp", task: TaskContext = {}): Promise<Environment> {
  const environment = await prepareEnvironment(prepareInput(place, FIRST, { provider, task }));
  environment.release();
  return environment;
}

function reuse(place: Place, priorWorkDir: string, change: Parameters<typeof prepareInput>[2] = {}): Promise<Environment | null> {
  return reuseEnvironment({ ...prepareInput(place, SECOND, change), priorWorkDir });
}

describe("reuseEnvironment", () => {
  it("continues in the same workdir and keeps what is in it", async () => {
    const place = machine();
    const first = await prepared(place);
    put(join(first.workdir, "repo", "work.txt"), "uncommitted");
    const again = await reuse(place, first.workdir);
    expect(again).toMatchObject({ root: first.root, workdir: first.workdir, reused: true });
    expect(readFileSync(join(first.workdir, "repo", "work.txt"), "utf8")).toBe("uncommitted");
    expect(readFileSync(join(first.root, ".task_owner"), "utf8").trim()).toBe(FIRST);
    expect(await readRecord(first.root)).toMatchObject({ task_id: FIRST, last_task_id: SECOND });
    again?.release();
  });

  it("writes nothing but its record the second time", async () => {
    const place = machine();
    put(join(place.shared, "auth.json"), "{}");
    const first = await prepared(place, "codex");
    await writeBrief(first, { contextFile: "AGENTS.md", task: { issueId: ISSUE } });
    const before = snapshot(first.root);
    const again = await reuse(place, first.workdir, { provider: "codex" });
    if (again !== null) await writeBrief(again, { contextFile: "AGENTS.md", task: { issueId: ISSUE } });
    again?.release();
    const after = snapshot(first.root);
    const record = join(first.root, ".multica_env.json");
    expect({ ...after, [record]: "" }).toEqual({ ...before, [record]: "" });
  });

  it("refreshes its own context file but keeps one that was edited", async () => {
    const place = machine();
    const first = await prepared(place);
    const path = join(first.workdir, ".agent_context", "issue_context.md");
    (await reuse(place, first.workdir, { task: { triggerCommentId: "comment-1" } }))?.release();
    expect(readFileSync(path, "utf8")).toContain("comment-1");
    writeFileSync(path, "my notes\n");
    (await reuse(place, first.workdir, { task: { triggerCommentId: "comment-2" } }))?.release();
    expect(readFileSync(path, "utf8")).toBe("my notes\n");
    (await reuse(place, first.workdir, { task: { triggerCommentId: "comment-3" } }))?.release();
    expect(readFileSync(path, "utf8")).toBe("my notes\n");
  });

  it("gives a held environment to nobody else, and to one of two at once", async () => {
    const place = machine();
    const first = await prepared(place);
    const winners = (await Promise.all([1, 2, 3, 4].map(() => reuse(place, first.workdir)))).filter((environment) => environment !== null);
    expect(winners).toHaveLength(1);
    expect(await reuse(place, first.workdir)).toBeNull();
    winners[0]?.release();
    const next = await reuse(place, first.workdir);
    expect(next).not.toBeNull();
    next?.release();
  });

  it("is never reset for the first task once a second one continued in it", async () => {
    const place = machine();
    const first = await prepared(place);
    put(join(first.workdir, "later.txt"), "later work");
    (await reuse(place, first.workdir))?.release();
    await expect(prepareEnvironment(prepareInput(place, FIRST))).rejects.toMatchObject({ code: "env_owned" });
    expect(readFileSync(join(first.workdir, "later.txt"), "utf8")).toBe("later work");
  });

  const mismatches: [string, (environment: Environment, place: Place) => string | Parameters<typeof prepareInput>[2]][] = [
    ["another workspace", () => ({ workspaceId: "0f6d3c1e-0000-4000-8000-000000000002" })],
    ["another agent", () => ({ task: { agentId: "0f6d3c1e-0000-4000-8000-0000000000a2" } })],
    ["no agent", () => ({ task: { agentId: undefined } })],
    ["another issue", () => ({ task: { issueId: "0f6d3c1e-0000-4000-8000-0000000000b2" } })],
    ["a chat instead", () => ({ task: { issueId: undefined, chatSessionId: "c" } })],
    ["neither issue nor chat", () => ({ task: { issueId: undefined } })],
    ["no prior workdir", () => ""],
    ["the root instead of its workdir", (environment) => environment.root],
    ["a directory deeper down", (environment) => {
      mkdirSync(join(environment.workdir, "workdir"));
      return join(environment.workdir, "workdir");
    }],
    ["a link out of the workspaces root", (environment, place) => {
      renameSync(environment.workdir, join(place.home, "elsewhere"));
      symlinkSync(join(place.home, "elsewhere"), environment.workdir);
      return environment.workdir;
    }],
    ["a regular file", (environment) => {
      rmSync(environment.workdir, { recursive: true });
      writeFileSync(environment.workdir, "");
      return environment.workdir;
    }],
    ["a missing workdir", (environment) => {
      rmSync(environment.workdir, { recursive: true });
      return environment.workdir;
    }],
    ["no provenance", (environment) => {
      rmSync(join(environment.root, ".managed_env.json"));
      return environment.workdir;
    }],
    ["a foreign provenance", (environment) => {
      writeFileSync(join(environment.root, ".managed_env.json"), '{"managed_by":"x"}');
      return environment.workdir;
    }],
    ["no task marker", (environment) => {
      rmSync(join(environment.workdir, ".multica"), { recursive: true });
      return environment.workdir;
    }],
    ["a marker of another agent", (environment) => {
      put(join(environment.workdir, ".multica/daemon_task_context.json"), JSON.stringify({ managed_by: "multica-daemon-task", agent_id: "x", issue_id: ISSUE }));
      return environment.workdir;
    }],
  ];

  it.each(mismatches)("starts fresh for %s", async (_name, change) => {
    const place = machine();
    const first = await prepared(place);
    const result = change(first, place);
    const again = typeof result === "string" ? await reuse(place, result) : await reuse(place, first.workdir, result);
    expect(again).toBeNull();
  });

  it("accepts an environment of an earlier release by its meta file, once, and gives it provenance", async () => {
    const place = machine();
    const first = await prepared(place);
    rmSync(join(first.root, ".managed_env.json"));
    await writeGcMeta({ root: first.root, workspaceId: WORKSPACE, taskId: FIRST, task: { issueId: ISSUE }, nowMs: 0 });
    const again = await reuse(place, first.workdir);
    expect(again).not.toBeNull();
    again?.release();
    expect(JSON.parse(readFileSync(join(first.root, ".managed_env.json"), "utf8"))).toMatchObject({ agent_id: AGENT, issue_id: ISSUE });
  });

  it("declines, and frees the lock, when the codex home cannot be made right", async () => {
    const place = machine();
    const first = await prepared(place, "codex");
    const config = join(first.root, "codex-home", "config.toml");
    const good = readFileSync(config, "utf8");
    writeFileSync(config, "broken = = toml");
    expect(await reuse(place, first.workdir, { provider: "codex" })).toBeNull();
    expect(readFileSync(config, "utf8")).toBe("broken = = toml");
    writeFileSync(config, good);
    const again = await reuse(place, first.workdir, { provider: "codex" });
    expect(again).not.toBeNull();
    again?.release();
  });
});

describe("resumeGate", () => {
  it("drops a session unless the workdir is the very directory it was made in, however that is spelled (K-17)", async () => {
    const place = machine();
    const first = await prepared(place);
    expect(resumeGate(first, { sessionId: undefined, workDir: undefined })).toEqual({ lost: false });
    expect(resumeGate(first, { sessionId: "s1", workDir: first.root })).toEqual({ lost: true });
    expect(resumeGate(first, { sessionId: "s1", workDir: `${first.workdir}-gone` })).toEqual({ lost: true });
    symlinkSync(first.workdir, join(first.root, "by-link"));
    expect(resumeGate(first, { sessionId: "s1", workDir: join(first.root, "by-link") }).sessionId).toBe("s1");
    const again = await reuse(place, first.workdir);
    if (again === null) throw new Error("not reused");
    expect(resumeGate(again, { sessionId: "s1", workDir: first.workdir })).toEqual({ sessionId: "s1", lost: false });
    again.release();
  });

  it("wants the rollout of a codex thread to be there, dated or flat, packed or not", async () => {
    const place = machine();
    const first = await prepared(place, "codex");
    const again = await reuse(place, first.workdir, { provider: "codex" });
    if (again === null) throw new Error("not reused");
    const thread = "01990000-aaaa-7000-8000-000000000001";
    expect(resumeGate(again, { sessionId: thread, workDir: first.workdir })).toEqual({ lost: true });
    put(join(place.shared, "sessions/2026/07/01", `rollout-2026-07-01T10-00-00-${thread}.jsonl`), "");
    expect(resumeGate(again, { sessionId: thread, workDir: first.workdir })).toEqual({ sessionId: thread, lost: false });
    put(join(place.shared, "sessions", "rollout-2026-07-01T10-00-00-flat.jsonl.zst"), "");
    expect(resumeGate(again, { sessionId: "flat", workDir: first.workdir }).lost).toBe(false);
    expect(resumeGate(again, { sessionId: "../../etc/passwd", workDir: first.workdir }).lost).toBe(true);
    again.release();
  });
});

import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { skillManifest } from "../../../../src/lib/core/index.ts";
import { fetchLimitMs } from "../../../../src/lib/daemon/task/bundles/fetch.ts";
import { runTask } from "../../../../src/lib/daemon/task/handle.ts";
import { HeldClock } from "../../../../src/lib/platform/index.ts";
import type { Task } from "../../../../src/lib/wire/index.ts";
import { type TaskDaemon, taskDaemon } from "../../../support/task-daemon.ts";
import type { Answer } from "../../../support/task-server.ts";
import { waitFor } from "../../../support/wait.ts";

function skill(id: string, content = `do ${id}`, source = "workspace") {
  const parts = { source, id, name: id, description: "", content, files: [{ path: "ref/notes.md", content: "n" }] };
  const { hash, sizeBytes } = skillManifest(parts);
  return { data: { ...parts, hash, size_bytes: sizeBytes }, ref: { id, source, name: id, hash, size_bytes: sizeBytes, file_count: 1 } };
}

type Skill = ReturnType<typeof skill>;

function taskWith(daemon: TaskDaemon, ...skills: Skill[]): Task {
  return daemon.task({ agent: { id: "a", name: "Dev", skill_refs: skills.map(({ ref }) => ref) } });
}

/** Serves these bundles by id; `asked` are the ids in the order of the requests. */
function serve(daemon: TaskDaemon, skills: Readonly<Record<string, Skill | Answer>>): string[] {
  const asked: string[] = [];
  daemon.server.script = (route, _nth, call) => {
    if (route !== "resolve") return undefined;
    const wanted = (call.body["skills"] as { id: string }[]).map(({ id }) => id);
    asked.push(...wanted);
    const found = skills[wanted[0] ?? ""];
    if (found === undefined) return { status: 404, body: { error: "skill bundle not found" } };
    return "status" in found ? found : { status: 200, body: { bundles: [found.data] } };
  };
  return asked;
}

function cached(daemon: TaskDaemon, { ref }: Skill): string {
  return join(daemon.ctx.config.workspacesRoot, ".skill-cache", "v1", "w", ref.source, ref.id, ref.hash.replace(":", "_"), "bundle.json");
}

async function runAgain(daemon: TaskDaemon, ...skills: Skill[]): Promise<Task> {
  daemon.server.state = "dispatched";
  const task = taskWith(daemon, ...skills);
  await runTask(daemon.ctx, task, 1);
  return task;
}

describe("skills by reference", () => {
  it("are fetched one a request, installed in their order, and come from the cache the next time", async () => {
    const daemon = await taskDaemon({ agent: "acp-happy" });
    const [one, two] = [skill("one"), skill("two")];
    const asked = serve(daemon, { one, two });
    await runAgain(daemon, two, one);
    expect(asked).toEqual(["two", "one"]);
    expect(daemon.server.bodies("complete")).toHaveLength(1);
    const workdir = String(daemon.server.bodies("session")[0]?.["work_dir"]);
    expect(readFileSync(join(workdir, ".agents/skills/one/SKILL.md"), "utf8")).toContain("do one");
    expect(readFileSync(join(workdir, ".agents/skills/two/ref/notes.md"), "utf8")).toBe("n");
    const prompt = readFileSync(join(workdir, "agent-prompt.txt"), "utf8");
    expect(prompt.indexOf("- `two`")).toBeLessThan(prompt.indexOf("- `one`"));
    await runAgain(daemon, one, two);
    expect(asked).toHaveLength(2);
    expect(daemon.server.bodies("complete")).toHaveLength(2);
  });

  it.each(["not json", '{"id":"one"}', "other content", "planted path"])("that are damaged in the cache (%s) are deleted and fetched again (K-22)", async (damage) => {
    const daemon = await taskDaemon({ agent: "acp-happy" });
    const one = skill("one");
    const asked = serve(daemon, { one });
    await runAgain(daemon, one);
    const path = cached(daemon, one);
    const files = [{ path: "../../x", content: "n" }];
    if (damage === "planted path") writeFileSync(path, JSON.stringify({ ...one.data, files }));
    else writeFileSync(path, damage === "other content" ? JSON.stringify({ ...one.data, content: "evil", hash: undefined, size_bytes: undefined }) : damage);
    await runAgain(daemon, one);
    expect(asked).toEqual(["one", "one"]);
    expect(JSON.parse(readFileSync(path, "utf8"))).toMatchObject({ content: "do one" });
    expect(daemon.server.bodies("complete")).toHaveLength(2);
  });

  it("that were edited since the claim are taken as they are now, but for plugins, which are pinned (K-22)", async () => {
    const daemon = await taskDaemon({ agent: "acp-happy" });
    const edited = skill("one", "newer");
    serve(daemon, { one: edited, plug: skill("plug", "newer", "plugin") });
    await runAgain(daemon, skill("one"));
    expect(daemon.server.bodies("complete")).toHaveLength(1);
    expect(existsSync(cached(daemon, edited))).toBe(true);
    expect(existsSync(cached(daemon, skill("one")))).toBe(false);
    await runAgain(daemon, skill("plug", "older", "plugin"));
    expect(daemon.server.bodies("fail")).toEqual([expect.objectContaining({ failure_reason: "skill_bundle_unavailable", error: expect.stringContaining("pinned") as string })]);
  });

  it("that were fetched stay for the next try when a later one fails (K-23)", async () => {
    const daemon = await taskDaemon({ agent: "acp-happy" });
    const [one, two, three] = [skill("one"), skill("two"), skill("three")];
    const first = serve(daemon, { one, two });
    await runAgain(daemon, one, two, three);
    expect(first).toEqual(["one", "two", "three"]);
    const [failure] = daemon.server.bodies("fail");
    expect(failure?.["failure_reason"]).toBe("skill_bundle_unavailable");
    expect(failure?.["error"]).toMatch(/^resolve skill bundles: skill "three" \(three, \d+ bytes\) after .*skill bundle not found/);
    expect(daemon.server.bodies("start")).toEqual([]);
    const second = serve(daemon, { one, two, three });
    await runAgain(daemon, one, two, three);
    expect(second).toEqual(["three"]);
    expect(daemon.server.bodies("complete")).toHaveLength(1);
  });

  it.each([
    ["another skill", { ...skill("one").data, id: "two" }],
    ["another content than it says", { ...skill("one").data, content: "evil" }],
    ["a path that leads out", { ...skill("one").data, hash: undefined, size_bytes: undefined, files: [{ path: "a/../../x", content: "" }] }],
    ["an absolute path", { ...skill("one").data, hash: undefined, size_bytes: undefined, files: [{ path: "/x", content: "" }] }],
  ])("that come as %s fail the task", async (_what, data) => {
    const daemon = await taskDaemon({ agent: "acp-happy" });
    serve(daemon, { one: { status: 200, body: { bundles: [data] } } });
    await runAgain(daemon, skill("one"));
    expect(daemon.server.bodies("fail")).toEqual([expect.objectContaining({ failure_reason: "skill_bundle_unavailable" })]);
    expect(existsSync(join(daemon.ctx.config.workspacesRoot, ".skill-cache"))).toBe(false);
  });

  it("that take long keep the task's lease, and are tried again after an error that may pass (K-9)", async () => {
    const clock = new HeldClock();
    const daemon = await taskDaemon({ agent: "acp-happy", clock });
    const one = skill("one");
    const answered = Promise.withResolvers<Answer>();
    let calls = 0;
    daemon.server.script = (route) => {
      if (route !== "resolve") return undefined;
      calls += 1;
      return calls === 1 ? { status: 503, body: { error: "later" } } : answered.promise;
    };
    const done = runTask(daemon.ctx, taskWith(daemon, { ...one, ref: { ...one.ref, size_bytes: 10 * 1024 * 1024 } }), 1);
    await waitFor("first try", () => calls === 1);
    await advanceUntil(clock, 500, () => calls === 2);
    await advanceUntil(clock, 5000, () => daemon.server.bodies("prepare-lease").length >= 2);
    expect(daemon.server.bodies("start")).toEqual([]);
    answered.resolve({ status: 200, body: { bundles: [one.data] } });
    await waitFor("agent started", async () => {
      await clock.advance(100);
      return daemon.server.bodies("complete").length === 1;
    });
    await advanceUntil(clock, 100, () => settled(done));
    expect(existsSync(cached(daemon, one))).toBe(true);
  });

  it("get 30 s to 5 minutes by their size", () => {
    expect(fetchLimitMs(0)).toBe(30_000);
    expect(fetchLimitMs(50 * 1024 * 60)).toBe(60_000);
    expect(fetchLimitMs(1024 ** 3)).toBe(300_000);
  });

  it("leave the cache out of the list of workspaces", async () => {
    const daemon = await taskDaemon({ agent: "acp-happy" });
    serve(daemon, { one: skill("one") });
    await runAgain(daemon, skill("one"));
    expect(readdirSync(daemon.ctx.config.workspacesRoot).filter((name) => !name.startsWith("."))).toEqual(["w"]);
  });
});

async function advanceUntil(clock: HeldClock, stepMs: number, condition: () => boolean | Promise<boolean>): Promise<void> {
  await waitFor("condition under the held clock", async () => {
    if (await condition()) return true;
    await clock.advance(stepMs);
    return condition();
  });
}

async function settled(work: Promise<unknown>): Promise<boolean> {
  return Promise.race([work.then(() => true), new Promise<boolean>((resolve) => setImmediate(() => resolve(false)))]);
}

// execenv.md 18, case 35, and 19 and 36 for a whole environment. The providers of cases 48–50 (Cursor's MCP files, OpenClaw's wrapper, Hermes'
// overlay) come with their adapters.
import { existsSync, lstatSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { providers } from "../../../src/lib/agents/registry.ts";
import { type Environment, prepareEnvironment, reuseEnvironment, writeBrief } from "../../../src/lib/execenv/index.ts";
import { providerFiles } from "../../../src/lib/execenv/providers.ts";
import { machine, prepareInput, put, snapshot } from "../../support/execenv.ts";
import { taskId } from "../../support/execenv-world.ts";
import { tempDir } from "../../support/temp.ts";

const skills = [{ name: "Deploy", content: "Do it.\n", files: [{ path: "a/b.md", content: "b" }] }, { name: "quiet", content: "---\nname: q\ndisable-model-invocation: true\n---\n" }];
const input = (place: { root: string; home: string }, tail: string, provider = "acp", own = skills) => prepareInput(place, taskId(tail), { provider, task: { skills: own } });
const skillsDirectory = (environment: Environment, provider: string): string => {
  const { skills: below } = providerFiles(provider);
  return below === null ? join(environment.codexHome ?? "", "skills") : join(environment.workdir, ...below.split("/"));
};

describe("skills of an environment", () => {
  it("lie where every provider with an adapter says its agent looks", () => {
    for (const spec of Object.values(providers)) {
      const files = providerFiles(spec.id);
      expect([spec.id, files.brief ?? "", files.skills]).toEqual([spec.id, spec.contextFile, spec.skillsDir]);
    }
  });

  it.each(["acp", "claude", "codebuddy", "codex", "copilot", "cursor", "gemini", "hermes", "kimi", "kiro", "openclaw", "opencode", "pi", "qoder", "qwen", "traecli", "nobody-knows"])(
    "are there for %s, once, however often it continues, and the brief names them",
    async (provider) => {
      const place = machine();
      const first = await prepareEnvironment(input(place, "1", provider));
      first.release();
      const directory = skillsDirectory(first, provider);
      expect(readdirSync(directory).sort()).toEqual(["deploy", "quiet"]);
      expect(readFileSync(join(directory, "deploy", "SKILL.md"), "utf8")).toContain("name: deploy");
      put(join(directory, "agents-own", "SKILL.md"), "own");
      const before = snapshot(directory);
      for (const tail of ["2", "3"]) {
        const again = await reuseEnvironment({ ...input(place, tail, provider), priorWorkDir: first.workdir });
        expect(again?.reused).toBe(true);
        if (again !== null) await writeBrief(again, { contextFile: "BRIEF.md", task: { issueId: "i" } });
        again?.release();
      }
      expect(snapshot(directory)).toEqual(before);
      const brief = readFileSync(join(first.workdir, "BRIEF.md"), "utf8");
      expect([brief.includes("- `deploy`"), brief.includes("quiet")]).toEqual([true, false]);
      const without = await reuseEnvironment({ ...input(place, "4", provider, []), priorWorkDir: first.workdir });
      without?.release();
      expect(readdirSync(directory)).toEqual(["agents-own"]);
    },
  );

  it("stand back for the user's own in a Codex home under another name, and win under the same", async () => {
    const place = machine();
    put(join(place.shared, "skills", "deploy", "SKILL.md"), "user's");
    put(join(place.shared, "skills", "mine", "SKILL.md"), "user's");
    const environment = await prepareEnvironment(input(place, "1", "codex"));
    environment.release();
    const directory = skillsDirectory(environment, "codex");
    expect(readdirSync(directory).sort()).toEqual(["deploy", "mine", "quiet"]);
    expect(readFileSync(join(directory, "deploy", "SKILL.md"), "utf8")).toContain("Do it.");
    expect(readFileSync(join(place.shared, "skills", "deploy", "SKILL.md"), "utf8")).toBe("user's");
  });

  it("fail the preparation when one cannot be installed, and nothing is left of it", async () => {
    const place = machine();
    const bad = [{ name: "x", content: "", files: [{ path: "../../../escape", content: "evil" }] }];
    await expect(prepareEnvironment(input(place, "1", "acp", bad))).rejects.toMatchObject({ code: "skill_invalid" });
    expect(readdirSync(join(place.root, "0f6d3c1e-0000-4000-8000-000000000001"))).toEqual([]);
  });
});

describe("an agent that plants links in its environment", () => {
  const cases: readonly (readonly [string, string, string | null])[] = [
    ["the workdir's marker directory", "workdir/.multica", "daemon_task_context.json"],
    ["the context directory", "workdir/.agent_context", "issue_context.md"],
    ["the context file", "workdir/.agent_context/issue_context.md", null],
    ["the skills directory", "workdir/.agents/skills", null],
    ["the directory above it", "workdir/.agents", null],
    ["one skill of ours", "workdir/.agents/skills/deploy", null],
    ["the brief's file", "workdir/AGENTS.md", null],
    ["the configuration root", "multica-config", null],
    ["the output directory", "output", null],
    ["the workdir", "workdir", null],
    ["the record", ".multica_env.json", null],
    ["the provenance", ".managed_env.json", null],
    ["the lock", ".task_lock", null],
    ["the owner", ".task_owner", null],
  ];
  it.each(cases)("gets nothing written, read or removed outside through %s", async (_what, at, inner) => {
    const place = machine();
    const first = await prepareEnvironment(input(place, "1"));
    await writeBrief(first, { contextFile: "AGENTS.md", task: { issueId: "i" } });
    first.release();
    const outside = tempDir("multica-outside-");
    for (const name of ["file", "deploy/SKILL.md", inner ?? "other"]) put(join(outside, name), "precious secret");
    const path = join(first.root, at);
    const wasFile = existsSync(path) && statSync(path).isFile();
    rmSync(path, { recursive: true, force: true });
    mkdirSync(join(path, ".."), { recursive: true });
    symlinkSync(wasFile ? join(outside, "file") : outside, path);
    const before = snapshot(outside);
    const again = await reuseEnvironment({ ...input(place, "2"), priorWorkDir: first.workdir });
    if (again !== null) await writeBrief(again, { contextFile: "AGENTS.md", task: { issueId: "i" } }).catch(() => undefined);
    again?.release();
    expect(snapshot(outside)).toEqual(before);
    // A listing would follow it.
    if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true) rmSync(path);
    const leaked = again === null ? [] : Object.values(snapshot(again.root)).filter((text) => text.includes("precious secret"));
    expect(leaked).toEqual([]);
  });

  it("cannot make SQLite create a file through a dangling lock link", async () => {
    const place = machine();
    const first = await prepareEnvironment(input(place, "1"));
    first.release();
    const target = join(tempDir("multica-outside-"), "made");
    rmSync(join(first.root, ".task_lock"));
    symlinkSync(target, join(first.root, ".task_lock"));
    expect(await reuseEnvironment({ ...input(place, "2"), priorWorkDir: first.workdir })).toBeNull();
    expect(existsSync(target)).toBe(false);
  });

  it("cannot have its own work removed by names it forges into the record", async () => {
    const place = machine();
    const first = await prepareEnvironment(input(place, "1"));
    first.release();
    put(join(first.workdir, "src", "main.ts"), "code");
    const path = join(first.root, ".multica_env.json");
    const record = JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>;
    writeFileSync(path, JSON.stringify({ ...record, skills: ["../../src", "..", "/etc", "deploy/../../../src", 7] }));
    const again = await reuseEnvironment({ ...input(place, "2", "acp", []), priorWorkDir: first.workdir });
    again?.release();
    expect([again?.reused, readFileSync(join(first.workdir, "src", "main.ts"), "utf8")]).toEqual([true, "code"]);
  });
});

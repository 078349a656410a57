// execenv.md 18 for Codex homes: cases 14, 15, 17–21, 23, 24 and 26 on disk. Where the others are:
//   1–4, 6, 7, 22: codex-home.test.ts · 5, 20: heal-matrix.test.ts, and here · 12, 13, 11 and 14 (the table): managed-blocks.test.ts
//   16, 25, 26 (rendering): codex-tables.test.ts · all of it with the real program: test/agents/codex-home.test.ts
// Not built (decision 10: files are copied once, never refreshed): 8, 9, 10 but for Codex's own table, and of 17 "refreshed after an edit".
// Windows rows of 14 and the copies in place of links of 6 are another platform's (decision 2).
import { chmodSync, lstatSync, mkdirSync, readFileSync, readdirSync, readlinkSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "smol-toml";
import { describe, expect, it } from "vitest";
import { healEnvironment } from "../../../src/lib/execenv/checks/index.ts";
import { type Environment, type PrepareInput, prepareEnvironment, readRecord, resumeGate, reuseEnvironment } from "../../../src/lib/execenv/index.ts";
import { silentLogger } from "../../../src/lib/platform/logger.ts";
import { machine, prepareInput, put } from "../../support/execenv.ts";
import { taskId, treeHash } from "../../support/execenv-world.ts";

const THREAD = "019a0000-0000-7000-8000-0000000000aa";
type Home = Environment & { codexHome: string };
type Change = Partial<Omit<PrepareInput, "task">> & { task?: PrepareInput["task"]; env?: Readonly<Record<string, string>> };

function user() {
  const place = machine();
  const input = ({ env = {}, ...change }: Change, tail: string) => prepareInput(place, taskId(tail), { provider: "codex", cliVersion: "0.169.0", host: { env, home: place.home, platform: "linux" }, ...change });
  const home = (environment: Environment | null): Home => {
    environment?.release();
    if (environment?.codexHome === undefined) throw new Error("no codex home");
    return environment as Home;
  };
  return {
    ...place,
    prepare: async (change: Change = {}, tail = "1"): Promise<Home> => home(await prepareEnvironment(input(change, tail))),
    reuse: async (first: Environment, change: Change = {}): Promise<Home> => home(await reuseEnvironment({ ...input(change, "2"), priorWorkDir: first.workdir })),
    declines: async (first: Environment, change: Change = {}) => await reuseEnvironment({ ...input(change, "2"), priorWorkDir: first.workdir }),
    heal: (environment: Environment, env: Readonly<Record<string, string>> = {}) => healEnvironment({ root: environment.root, workspacesRoot: place.root, host: { env, home: place.home, platform: "linux" }, now: () => Date.now(), logger: silentLogger }),
    rollout: (below = "sessions"): string => {
      const path = join(place.shared, below, "2026", "07", "01", `rollout-2026-07-01T00-00-00-${THREAD}.jsonl`);
      put(path, '{"type":"session_meta"}\n');
      return path;
    },
  };
}

const config = (home: Home): Record<string, unknown> => parse(readFileSync(join(home.codexHome, "config.toml"), "utf8"));

describe("settings of a codex home", () => {
  it.each([
    ["MULTICA_CODEX_MULTI_AGENT", "features.multi_agent", ["1", "true", "YES", " on "], ["0", "false", "no", "off", ""]],
    ["MULTICA_CODEX_MEMORY", "memories.use_memories", ["1", "True", "yes", "ON"], ["0", "false", "", "2"]],
  ] as const)("%s lets Codex have its feature in every spelling of yes, and in none of no (case 15)", async (name, key, yes, no) => {
    const u = user();
    const first = await u.prepare();
    const has = async (value: string): Promise<boolean> => readFileSync(join((await u.reuse(first, { env: { [name]: value } })).codexHome, "config.toml"), "utf8").includes(`${key} =`);
    for (const value of yes) expect([value, await has(value)]).toEqual([value, false]);
    for (const value of no) expect([value, await has(value)]).toEqual([value, true]);
  });

  it("hold for a heal from another shell, and are the next task's to change", async () => {
    const u = user();
    const first = await u.prepare({ env: { MULTICA_CODEX_SANDBOX: "danger-full-access", MULTICA_CODEX_MEMORY: "1" } });
    expect((await u.heal(first)).status).toBe("ok");
    expect(config(await u.reuse(first))["sandbox_mode"]).toBe("workspace-write");
  });

  it.each([
    ["MULTICA_CODEX_SANDBOX", "none"],
    ["MULTICA_CODEX_SESSIONS", "mine"],
    ["MULTICA_CODEX_SHELL_ENVIRONMENT", "perhaps"],
  ])("are refused by name: %s=%s (case 24)", async (name, value) => {
    const u = user();
    await expect(u.prepare({ env: { [name]: value } })).rejects.toMatchObject({ code: "bad_setting", message: expect.stringContaining(name) as string });
    expect(readdirSync(join(u.root, readdirSync(u.root).find((entry) => !entry.startsWith(".")) ?? ""))).toEqual([]);
  });

  it("let no agent start where the sandbox block cannot be written (case 24)", async () => {
    const u = user();
    put(join(u.shared, "config.toml"), "model = = broken\n");
    await expect(u.prepare()).rejects.toMatchObject({ code: "codex_config_invalid" });
    rmSync(join(u.shared, "config.toml"));
    const first = await u.prepare();
    writeFileSync(join(first.codexHome, "config.toml"), "broken = = toml");
    expect(await u.declines(first)).toBeNull();
  });

  it("take ~/.codex when this process runs in a task's home, and nothing is linked to itself (case 23)", async () => {
    const u = user();
    const first = await u.prepare();
    const second = await u.prepare({ env: { CODEX_HOME: first.codexHome } }, "2");
    expect(readlinkSync(join(second.codexHome, "sessions"))).toBe(join(u.shared, "sessions"));
    expect((await u.heal(first, { CODEX_HOME: first.codexHome })).status).toBe("ok");
    expect(readlinkSync(join(first.codexHome, "sessions"))).toBe(join(u.shared, "sessions"));
  });
});

describe("files that the configuration names (case 17)", () => {
  it("are copied to the same place, and copied again when lost; the user's home stays as it is", async () => {
    const u = user();
    put(join(u.shared, "config.toml"), 'model_catalog_json = "models.json"\nmodel_instructions_file = "deep/er/notes.md"\n');
    put(join(u.shared, "models.json"), '{"models":[]}');
    put(join(u.shared, "deep", "er", "notes.md"), "be good");
    mkdirSync(join(u.shared, "sessions"));
    mkdirSync(join(u.shared, "plugins", "cache"), { recursive: true });
    const before = treeHash(u.shared);
    const first = await u.prepare();
    rmSync(join(first.codexHome, "deep"), { recursive: true });
    await u.reuse(first);
    expect(readFileSync(join(first.codexHome, "deep", "er", "notes.md"), "utf8")).toBe("be good");
    expect(treeHash(u.shared)).toBe(before);
  });

  it("are never written through a link: not one in the way, and one at the end becomes a file", async () => {
    const u = user();
    put(join(u.shared, "config.toml"), 'model_instructions_file = "deep/notes.md"\n');
    put(join(u.shared, "deep", "notes.md"), "be good");
    const first = await u.prepare();
    const outside = join(u.home, "outside");
    put(join(outside, "notes.md"), "mine");
    rmSync(join(first.codexHome, "deep", "notes.md"));
    symlinkSync(join(outside, "notes.md"), join(first.codexHome, "deep", "notes.md"));
    await u.reuse(first);
    expect(lstatSync(join(first.codexHome, "deep", "notes.md")).isFile()).toBe(true);
    rmSync(join(first.codexHome, "deep"), { recursive: true });
    symlinkSync(outside, join(first.codexHome, "deep"));
    expect(await u.declines(first)).toBeNull();
    expect(readFileSync(join(outside, "notes.md"), "utf8")).toBe("mine");
  });
});

describe("the cache of models (case 18)", () => {
  const seeded = async () => {
    const u = user();
    put(join(u.shared, "config.toml"), 'model_provider = "a"\nmodel_catalog_json = "catalog.json"\n');
    put(join(u.shared, "catalog.json"), "{}");
    put(join(u.shared, "models_cache.json"), '{"from":"a"}');
    const first = await u.prepare();
    const cache = join(first.codexHome, "models_cache.json");
    return { u, first, cache, has: (): boolean => readdirSync(first.codexHome).includes("models_cache.json") };
  };

  it("is copied once, and kept while the user's configuration is the same, whatever his cache says now", async () => {
    const { u, first, cache, has } = await seeded();
    expect(readFileSync(cache, "utf8")).toBe('{"from":"a"}');
    put(join(u.shared, "models_cache.json"), '{"from":"later"}');
    await u.reuse(first);
    expect(readFileSync(cache, "utf8")).toBe('{"from":"a"}');
    rmSync(cache);
    await u.reuse(first);
    expect(has()).toBe(false);
  });

  it.each<[string, (shared: string, codexHome: string) => void]>([
    ["the provider changes", (shared) => writeFileSync(join(shared, "config.toml"), 'model_provider = "b"\nmodel_catalog_json = "catalog.json"\n')],
    ["the catalog changes", (shared) => writeFileSync(join(shared, "catalog.json"), '{"x":1}')],
    ["nothing says what it belongs to", (_shared, codexHome) => rmSync(join(codexHome, ".models_cache_config.sha256"))],
  ])("is given up when %s, and not copied anew", async (_what, change) => {
    const { u, first, has } = await seeded();
    change(u.shared, first.codexHome);
    await u.reuse(first);
    expect(has()).toBe(false);
    await u.reuse(first);
    expect(has()).toBe(false);
  });
});

describe("the user's skills in a codex home (case 19)", () => {
  it("are linked with their files; hidden ones, files and dangling links are not; installers' links are resolved", async () => {
    const u = user();
    put(join(u.shared, "skills", "mine", "SKILL.md"), "mine");
    put(join(u.shared, "skills", "mine", "scripts", "run.sh"), "run");
    put(join(u.shared, "skills", ".system", "x", "SKILL.md"), "codex's own");
    put(join(u.shared, "skills", "README.md"), "no skill");
    put(join(u.home, "installed", "SKILL.md"), "installed");
    symlinkSync(join(u.home, "installed"), join(u.shared, "skills", "installed"));
    symlinkSync("/nowhere", join(u.shared, "skills", "gone"));
    const { codexHome } = await u.prepare();
    expect(readdirSync(join(codexHome, "skills")).sort()).toEqual(["installed", "mine"]);
    expect(readFileSync(join(codexHome, "skills", "mine", "scripts", "run.sh"), "utf8")).toBe("run");
    expect(readFileSync(join(codexHome, "skills", "installed", "SKILL.md"), "utf8")).toBe("installed");
  });

  it("follow the user's: gone when removed, new text at once; Codex's and the agent's own stay", async () => {
    const u = user();
    for (const name of ["stays", "goes"]) put(join(u.shared, "skills", name, "SKILL.md"), "first");
    const first = await u.prepare();
    put(join(first.codexHome, "skills", ".system", "SKILL.md"), "codex's");
    put(join(first.codexHome, "skills", "agents", "SKILL.md"), "the agent's");
    rmSync(join(u.shared, "skills", "goes"), { recursive: true });
    put(join(u.shared, "skills", "stays", "SKILL.md"), "second");
    await u.reuse(first);
    expect(readdirSync(join(first.codexHome, "skills")).sort()).toEqual([".system", "agents", "stays"]);
    expect(readFileSync(join(first.codexHome, "skills", "stays", "SKILL.md"), "utf8")).toBe("second");
  });

  it("stand back for the workspace's skill of the same sanitised name, without leaving files in it, and come back", async () => {
    const u = user();
    put(join(u.shared, "skills", "Code Review", "extra.md"), "the user's");
    const first = await u.prepare();
    expect(readdirSync(join(first.codexHome, "skills"))).toEqual(["Code Review"]);
    const task = { issueId: "0f6d3c1e-0000-4000-8000-0000000000b1", skills: [{ name: "code review", content: "the workspace's", description: "", files: [] }] };
    await u.reuse(first, { task });
    expect(readdirSync(join(first.codexHome, "skills"))).toEqual(["code-review"]);
    expect(readdirSync(join(first.codexHome, "skills", "code-review"))).toEqual(["SKILL.md"]);
    await u.reuse(first);
    expect(readdirSync(join(first.codexHome, "skills"))).toEqual(["Code Review"]);
    expect(readFileSync(join(u.shared, "skills", "Code Review", "extra.md"), "utf8")).toBe("the user's");
  });
});

describe("the links to what is shared (cases 5, 20)", () => {
  it("follow the shared home; without credentials there nothing is made or touched", async () => {
    const u = user();
    put(join(u.shared, "auth.json"), "new");
    const first = await u.prepare();
    rmSync(join(first.codexHome, "auth.json"));
    put(join(u.home, "old", "auth.json"), "old");
    symlinkSync(join(u.home, "old", "auth.json"), join(first.codexHome, "auth.json"));
    await u.reuse(first);
    expect(readFileSync(join(first.codexHome, "auth.json"), "utf8")).toBe("new");
    rmSync(join(u.shared, "auth.json"));
    await u.reuse(first);
    expect(readlinkSync(join(first.codexHome, "auth.json"))).toBe(join(u.shared, "auth.json"));
    rmSync(join(first.codexHome, "auth.json"));
    await u.reuse(first);
    expect(readdirSync(first.codexHome)).not.toContain("auth.json");
  });

  it("bring plugins/cache back, and put a real directory in its place aside", async () => {
    const u = user();
    put(join(u.shared, "plugins", "cache", "p"), "shared");
    const first = await u.prepare();
    const cache = join(first.codexHome, "plugins", "cache");
    rmSync(cache);
    await u.reuse(first);
    expect(readFileSync(join(cache, "p"), "utf8")).toBe("shared");
    rmSync(cache);
    put(join(cache, "own"), "own");
    await u.reuse(first);
    expect(readdirSync(cache)).toEqual(["p"]);
    expect(readdirSync(join(u.shared, "plugins", "cache"))).toEqual(["p"]);
  });
});

describe("sessions of a conversation's own (case 21)", () => {
  const isolated = { MULTICA_CODEX_SESSIONS: "isolated" };

  it("are an empty directory in a fresh environment, and stay one", async () => {
    const u = user();
    u.rollout();
    const first = await u.prepare({ env: isolated });
    expect(readdirSync(join(first.codexHome, "sessions"))).toEqual([]);
    put(join(first.codexHome, "sessions", "own.jsonl"), "x");
    await u.reuse(first, { env: isolated });
    await u.heal(first);
    expect(readdirSync(join(first.codexHome, "sessions"))).toEqual(["own.jsonl"]);
  });

  it("take the place of the link to all: with it only what Codex derived from it goes", async () => {
    const u = user();
    u.rollout();
    const first = await u.prepare();
    for (const name of ["state_5.sqlite", "state_5.sqlite-wal", "session_index.jsonl", "logs_2.sqlite"]) put(join(first.codexHome, name), "x");
    await u.reuse(first, { env: isolated });
    expect(lstatSync(join(first.codexHome, "sessions")).isDirectory()).toBe(true);
    expect(readdirSync(join(first.codexHome, "sessions"))).toEqual([]);
    expect(readdirSync(first.codexHome).filter((name) => /sqlite|index/.test(name)).sort()).toEqual(["logs_2.sqlite", "session_index.jsonl"]);
  });

  it("go into the conversation's store when one goes on that began in the link to all: the rollout gets a second name there", async () => {
    const u = user();
    const rollout = u.rollout();
    const first = await u.prepare();
    const again = await u.reuse(first, { env: isolated, priorSessionId: THREAD });
    const store = readlinkSync(join(first.codexHome, "sessions"));
    expect(store).toBe(join(u.shared, "multica-sessions", "default", "0f6d3c1e-0000-4000-8000-0000000000a1", "0f6d3c1e-0000-4000-8000-0000000000b1"));
    expect(statSync(join(store, "2026", "07", "01", `rollout-2026-07-01T00-00-00-${THREAD}.jsonl`)).ino).toBe(statSync(rollout).ino);
    expect(resumeGate(again, { sessionId: THREAD, workDir: first.workdir })).toEqual({ sessionId: THREAD, lost: false });
    // It is where it belongs now: neither heal nor a later task without that session turns it over.
    expect((await u.heal(first)).status).toBe("ok");
    await u.reuse(first, { env: isolated });
    expect(readlinkSync(join(first.codexHome, "sessions"))).toBe(store);
    expect((await readRecord(first.root))?.codex?.session_store).toBe(store);
  });

  it("are made anew where the store is gone, and each use is seen by its time", async () => {
    const u = user();
    u.rollout();
    const first = await u.prepare();
    await u.reuse(first, { env: isolated, priorSessionId: THREAD });
    const store = readlinkSync(join(first.codexHome, "sessions"));
    utimesSync(store, 1, 1);
    await u.reuse(first, { env: isolated, now: () => 5_000_000 });
    expect(statSync(store).mtimeMs).toBe(5_000_000);
    rmSync(store, { recursive: true });
    expect((await u.heal(first)).findings[0]).toMatchObject({ code: "CH_SESSIONS_BROKEN", status: "healed" });
    expect(readdirSync(store)).toEqual([]);
  });

  it("of tasks in a user's directory are the store's, so that the next task's home has them", async () => {
    const u = user();
    const base = join(u.home, "project");
    mkdirSync(base);
    const first = await u.prepare({ env: isolated, localWorkDir: base, profile: "work" });
    const store = readlinkSync(join(first.codexHome, "sessions"));
    expect(store).toMatch(/multica-sessions\/p_[0-9a-f]{64}\/0f6d3c1e-0000-4000-8000-0000000000a1\/0f6d3c1e-/);
    put(join(first.codexHome, "sessions", `rollout-2026-07-01T00-00-00-${THREAD}.jsonl`), "x");
    const second = await u.prepare({ env: isolated, localWorkDir: base, profile: "work" }, "2");
    expect(second.codexHome).not.toBe(first.codexHome);
    expect(resumeGate(second, { sessionId: THREAD, workDir: base })).toMatchObject({ lost: false });
    expect((await u.heal(second)).findings.map((one) => one.code)).not.toContain("CH_SESSIONS_LEGACY_LINK");
    const other = await u.prepare({ env: isolated, localWorkDir: base }, "3");
    expect(resumeGate(other, { sessionId: THREAD, workDir: base })).toMatchObject({ lost: true });
  });

  it("are a directory where nothing names the conversation; a session that is not there is not resumed", async () => {
    const u = user();
    const base = join(u.home, "project");
    mkdirSync(base);
    const first = await u.prepare({ env: isolated, localWorkDir: base, task: { issueId: "", chatSessionId: "", agentId: "a" } });
    expect(lstatSync(join(first.codexHome, "sessions")).isDirectory()).toBe(true);
    expect(resumeGate(first, { sessionId: THREAD, workDir: base })).toMatchObject({ lost: true });
  });

  it("are not led into another conversation's store by a forged record", async () => {
    const u = user();
    u.rollout();
    const first = await u.prepare();
    await u.reuse(first, { env: isolated, priorSessionId: THREAD });
    const record = join(first.root, ".multica_env.json");
    const theirs = join(u.shared, "multica-sessions", "default", "0f6d3c1e-0000-4000-8000-0000000000a1", "another-issue");
    put(join(theirs, "secret.jsonl"), "x");
    writeFileSync(record, readFileSync(record, "utf8").replace(/"session_store": "[^"]*"/, `"session_store": ${JSON.stringify(theirs)}`));
    rmSync(join(first.codexHome, "sessions"));
    symlinkSync(theirs, join(first.codexHome, "sessions"));
    expect((await u.heal(first)).findings.map((one) => one.code)).toContain("CH_SESSIONS_LEGACY_LINK");
    expect(readdirSync(join(first.codexHome, "sessions"))).toEqual([]);
    expect(readdirSync(theirs)).toEqual(["secret.jsonl"]);
  });
});

describe("managed MCP servers on disk (case 26)", () => {
  const mcpConfig = { mcpServers: { a: { command: "a", env: { TOKEN: "t" } } } };

  it("make the file the owner's alone, also one that others could read", async () => {
    const u = user();
    const first = await u.prepare();
    chmodSync(join(first.codexHome, "config.toml"), 0o644);
    await u.reuse(first, { mcpConfig });
    expect(statSync(join(first.codexHome, "config.toml")).mode & 0o777).toBe(0o600);
    expect(config(first)["mcp_servers"]).toEqual({ a: { command: "a", env: { TOKEN: "t" } } });
    const before = treeHash(first.codexHome);
    await u.reuse(first, { mcpConfig });
    expect((await u.heal(first)).status).toBe("ok");
    expect(treeHash(first.codexHome)).toBe(before);
  });

  it("fail the preparation for a bad name or shape, and nothing of it is left", async () => {
    const u = user();
    await expect(u.prepare({ mcpConfig: { mcpServers: { "a b": { command: "c" } } } })).rejects.toMatchObject({ code: "codex_mcp_invalid" });
    expect(readdirSync(join(u.root, readdirSync(u.root).find((entry) => !entry.startsWith(".")) ?? ""))).toEqual([]);
    const first = await u.prepare();
    expect(await u.declines(first, { mcpConfig: { mcpServers: { a: null } } })).toBeNull();
  });
});

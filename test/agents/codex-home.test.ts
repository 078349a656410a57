import { mkdirSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "smol-toml";
import { describe, expect, it } from "vitest";
import { healEnvironment } from "../../src/lib/execenv/checks/index.ts";
import { type PrepareInput, prepareEnvironment, reuseEnvironment } from "../../src/lib/execenv/index.ts";
import { silentLogger } from "../../src/lib/platform/logger.ts";
import { machine, prepareInput } from "../support/execenv.ts";
import { taskId, treeHash } from "../support/execenv-world.ts";
import { AppServer } from "./app-server.ts";
import { installedAgent } from "./install.ts";
import { type ModelRequest, type Step, scriptedModel } from "./model.ts";

const VERSION = "0.169.0";
const MCP_SERVER = join(import.meta.dirname, "mcp-server.mjs");
const TASK = taskId("1");

interface Change {
  readonly env?: Readonly<Record<string, string>>;
  /** Laid over the user's own `config.toml`: before its tables, and after them. */
  readonly top?: string;
  readonly tables?: string;
  readonly input?: Partial<PrepareInput>;
}

/** A user with a provider of his own, and the environment of one conversation; Codex runs in its home. */
async function world(change: Change = {}) {
  const codex = installedAgent("codex", `@openai/codex@${VERSION}`, "codex");
  const script: { next: (request: ModelRequest) => Step } = { next: (request) => (request.results === 0 ? { command: "echo out-$((40+2))" } : { text: "Done." }) };
  const model = await scriptedModel((request) => script.next(request));
  const place = machine();
  const provider = `[model_providers.mock]\nname = "mock"\nbase_url = "${model.url}/v1"\nwire_api = "responses"\nenv_key = "MOCK_API_KEY"\nrequest_max_retries = 1\nstream_max_retries = 1\n`;
  writeFileSync(join(place.shared, "config.toml"), `model = "mock-model"\nmodel_provider = "mock"\ncheck_for_update_on_startup = false\napproval_policy = "never"\n${change.top ?? ""}[analytics]\nenabled = false\n${provider}${change.tables ?? ""}`);
  const host = { env: { ...change.env }, home: place.home, platform: "linux" as const };
  const input = prepareInput(place, TASK, { provider: "codex", cliVersion: VERSION, now: () => Date.now(), host, ...change.input });
  const first = await prepareEnvironment(input);
  first.release();
  const home = first.codexHome ?? "";
  const target = { root: first.root, workspacesRoot: place.root, host, now: () => Date.now(), logger: silentLogger };
  const start = async (env: Readonly<Record<string, string>> = {}): Promise<AppServer> => {
    const server = new AppServer(codex, home, first.workdir, { HOME: place.home, CODEX_HOME: home, ...env });
    await server.start();
    return server;
  };
  return {
    ...place,
    home,
    target,
    script,
    environment: first,
    config: join(home, "config.toml"),
    read: () => parse(readFileSync(join(home, "config.toml"), "utf8")) as Record<string, Record<string, unknown>>,
    start,
    heal: (options = {}) => healEnvironment(target, options),
    async reuse(more: Partial<PrepareInput> = {}) {
      const again = await reuseEnvironment({ ...input, ...more, priorWorkDir: first.workdir });
      if (again === null) throw new Error("the environment was not continued");
      again.release();
      return again;
    },
    /** Codex accepts the configuration, starts a thread in it, runs a command and ends the turn; returns what it said to be wrong. */
    async turns(env: Readonly<Record<string, string>> = {}, use: (server: AppServer) => Promise<void> = () => Promise.resolve()): Promise<void> {
      const server = await start(env);
      const { thread } = await server.ask<{ thread: { id: string } }>("thread/start", { cwd: first.workdir });
      expect(await server.turn(thread.id, "Say what six times seven is")).toBe("completed");
      await use(server);
      await server.stop();
      // The older of the two switches is deprecated; releases that know only that one need it.
      expect(server.complaints().filter((text) => /ignor|invalid|unrecogni|duplicate|deprecat/i.test(text) && !/^`\[features\]\.multi_agent` is deprecated/.test(text))).toEqual([]);
    },
    /** Codex itself adds to the file, as it does with trusted directories: the line before our last marker is a place for it. */
    async trusts(directory: string): Promise<void> {
      const server = await start();
      await server.ask("config/value/write", { keyPath: `projects."${directory}"`, value: { trust_level: "trusted" }, mergeStrategy: "upsert" });
      await server.stop();
    },
  };
}

type World = Awaited<ReturnType<typeof world>>;

/** What has to hold for every home, however it came to be right. */
async function proves(w: World, env: Readonly<Record<string, string>> = {}, more: Partial<PrepareInput> = {}): Promise<void> {
  await w.turns(env);
  await w.trusts("/some/where");
  const written = readFileSync(w.config, "utf8");
  expect(w.read()["projects"]).toMatchObject({ "/some/where": { trust_level: "trusted" } });
  await w.reuse(more);
  const settled = readFileSync(w.config, "utf8");
  // Only what Codex put into a block of ours is moved; nothing it wrote is lost.
  expect(parse(settled)).toEqual(parse(written));
  await w.trusts("/some/where/else");
  await w.reuse(more);
  expect(w.read()["projects"]).toMatchObject({ "/some/where": { trust_level: "trusted" }, "/some/where/else": { trust_level: "trusted" } });
  expect((await w.heal()).findings.filter((one) => one.severity !== "info")).toEqual([]);
  const before = treeHash(w.home);
  await w.reuse(more);
  expect((await w.heal()).status).toBe("ok");
  expect(treeHash(w.home)).toBe(before);
  await w.turns(env);
}

/** A command that prints the environment tells what the model's tools get. */
function printed(w: World): { lines: () => string[] } {
  let last = "";
  w.script.next = (request) => {
    if (request.results === 0) return { command: "env" };
    last = request.lastResult;
    return { text: "Done." };
  };
  return { lines: () => last.split(/\\n|\n/) };
}

describe("a real codex in a home that was prepared", () => {
  it("takes a fresh one, and goes on in it after it wrote into the configuration itself", async () => {
    const w = await world();
    expect(w.read()).toMatchObject({ sandbox_mode: "workspace-write", features: { multi_agent: false, multi_agent_v2: false, memories: false }, memories: { generate_memories: false, use_memories: false } });
    await proves(w);
    const { config } = await effective(w);
    expect(config).toMatchObject({ sandbox_mode: "workspace-write", sandbox_workspace_write: { network_access: true } });
  });

  it("takes one whose user has tables of his own for what we switch off", async () => {
    const w = await world({
      top: 'sandbox_mode = "read-only"\n',
      tables: '[features]\nmulti_agent = true\nmemories = true\nshell_tool = true\n\n[memories]\nuse_memories = true\n\n[sandbox_workspace_write]\nwritable_roots = ["/srv"]\nnetwork_access = false\n',
    });
    await proves(w);
    const { config } = await effective(w);
    expect(config).toMatchObject({ sandbox_mode: "workspace-write", sandbox_workspace_write: { network_access: true, writable_roots: ["/srv"] }, features: { multi_agent: false, multi_agent_v2: false, memories: false } });
  });

  it("takes one without the sandbox, with sessions of its own and without the blocks that can be left out", async () => {
    const w = await world({ env: { MULTICA_CODEX_SANDBOX: "danger-full-access", MULTICA_CODEX_SESSIONS: "isolated", MULTICA_CODEX_MEMORY: "1", MULTICA_CODEX_MULTI_AGENT: "yes" } });
    expect(w.read()["features"]).toBeUndefined();
    await proves(w);
    expect(readdirSync(join(w.home, "sessions"))).not.toEqual([]);
  });
});

describe("a real codex in a home that was healed", () => {
  it.each<[string, (w: World) => void, object]>([
    ["its configuration was missing", (w) => rmSync(w.config), {}],
    [
      "links and configuration were lost",
      (w) => {
        for (const name of ["sessions", "config.toml"]) rmSync(join(w.home, name));
        symlinkSync("/nowhere/auth.json", join(w.home, "auth.json"));
      },
      {},
    ],
    ["its configuration was a link to the user's", (w) => (rmSync(w.config), symlinkSync(join(w.shared, "config.toml"), w.config)), {}],
    ["its blocks were there twice", (w) => writeFileSync(w.config, readFileSync(w.config, "utf8") + readFileSync(w.config, "utf8").split("\n\nmodel = ")[0] + "\n"), {}],
    ["its blocks had lost their ends", (w) => writeFileSync(w.config, readFileSync(w.config, "utf8").replace(/^# END .*\n/gm, "")), {}],
    ["its blocks stood below a table", (w) => writeFileSync(w.config, moved(readFileSync(w.config, "utf8"))), {}],
    ["its configuration was no TOML and was taken anew", (w) => writeFileSync(w.config, "model = = broken\n"), { resetConfig: true }],
    ["its session database was garbage", (w) => writeFileSync(join(w.home, "state_5.sqlite"), "garbage"), {}],
  ])("when %s", async (_what, damage, options) => {
    const w = await world();
    writeFileSync(join(w.shared, "auth.json"), '{"OPENAI_API_KEY":"sk-none"}');
    damage(w);
    expect(["healed", "ok"]).toContain((await w.heal(options)).status);
    await proves(w);
  });
});

describe("a real codex with blocks that a task fills", () => {
  const MCP = { mcpServers: { ours: { command: process.execPath, args: [MCP_SERVER], env: { MARK: "x" } }, far: { type: "http", url: "http://127.0.0.1:9/mcp", headers: { "X-A": "b" } } } };
  const servers = async (server: AppServer): Promise<string[]> => {
    const { data } = await server.ask<{ data: { name: string }[] }>("mcpServerStatus/list", {});
    return data.map((one) => one.name).sort();
  };

  it("sees exactly the agent's MCP servers, and the user's again when none are managed", async () => {
    const w = await world({ tables: `[mcp_servers.mine]\ncommand = ${JSON.stringify(process.execPath)}\nargs = [${JSON.stringify(MCP_SERVER)}]\n[mcp_servers.mine.env]\nA = "1"\n`, input: { mcpConfig: MCP } });
    await w.turns({}, async (server) => expect(await servers(server)).toEqual(["far", "ours"]));
    await proves(w, {}, { mcpConfig: MCP });
    await w.reuse({ mcpConfig: {} });
    await w.turns({}, async (server) => expect(await servers(server)).toEqual([]));
    await w.reuse({ mcpConfig: null });
    await w.turns({}, async (server) => expect(await servers(server)).toEqual(["mine"]));
    // Damage in between takes the user's servers with it until a task says which ones are managed.
    rmSync(w.config);
    expect((await w.heal()).status).toBe("healed");
    await w.reuse({ mcpConfig: MCP });
    await proves(w, {}, { mcpConfig: MCP });
  });

  it("gives its commands exactly the named variables when the shell block is asked for", async () => {
    const w = await world({ env: { MULTICA_CODEX_SHELL_ENVIRONMENT: "on" }, tables: '[shell_environment_policy]\ninherit = "none"\n' });
    const { shell } = w.environment;
    await shell?.({ inherited: ["PATH", "HOME", "HIDDEN_TOKEN"], set: ["MULTICA_TOKEN", "CODEX_HOME"], custom: ["OWNERS_SECRET"] });
    const env = printed(w);
    const given = { MULTICA_TOKEN: "mat_x", OWNERS_SECRET: "s", HIDDEN_TOKEN: "h", UNNAMED: "u" };
    await w.turns(given);
    expect(env.lines()).toEqual(expect.arrayContaining(["MULTICA_TOKEN=mat_x", "OWNERS_SECRET=s"]));
    expect(env.lines().filter((line) => /^(HIDDEN_TOKEN|UNNAMED)=/.test(line))).toEqual([]);
    await proves(w, given);
  });

  it("leaves out a skill that was switched off, and only that one", async () => {
    const skills = [{ name: "Deploy", content: "---\nname: deploy\ndescription: d\n---\nDo it.\n", description: "d", files: [] }];
    const w = await world({ input: { task: { issueId: "i", agentId: "a", skills } } });
    for (const name of ["kept", "off"]) {
      mkdirSync(join(w.shared, "skills", name), { recursive: true });
      writeFileSync(join(w.shared, "skills", name, "SKILL.md"), `---\nname: ${name}\ndescription: the skill ${name}\n---\nText.\n`);
    }
    const more = { task: { issueId: "i", agentId: "a", skills }, disabledSkills: [{ root: "provider", key: "off" }] } as const;
    const seen = async (): Promise<Record<string, boolean>> => {
      const states: Record<string, boolean> = {};
      await w.turns({}, async (server) => {
        const { data } = await server.ask<{ data: { skills: { name: string; enabled: boolean }[] }[] }>("skills/list", { cwds: [w.environment.workdir] });
        for (const skill of data.flatMap((one) => one.skills)) states[skill.name] = skill.enabled;
      });
      return states;
    };
    await w.reuse(more);
    expect(await seen()).toMatchObject({ kept: true, deploy: true, off: false });
    await proves(w, {}, more);
    await w.reuse({ task: more.task });
    expect(await seen()).toMatchObject({ kept: true, off: true });
  });
});

/** The configuration as Codex understands it. */
async function effective(w: World): Promise<{ config: Record<string, unknown> }> {
  const server = await w.start();
  const read = await server.ask<{ config: Record<string, unknown> }>("config/read", { includeLayers: false });
  await server.stop();
  return read;
}

/** The blocks from the top put behind everything else, where they would belong to the last table. */
function moved(text: string): string {
  const at = text.indexOf("model = ");
  return `${text.slice(at)}\n${text.slice(0, at)}`;
}

import { existsSync, lstatSync, mkdirSync, readFileSync, readlinkSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "smol-toml";
import { describe, expect, it } from "vitest";
import { type Environment, prepareEnvironment, readRecord, reuseEnvironment, sharedCodexHome } from "../../../src/lib/execenv/index.ts";
import { machine, prepareInput, put, snapshot } from "../../support/execenv.ts";

const FIRST = "01980000-0000-7000-8000-00000000aaaa";
const SECOND = "01980000-0000-7000-8000-00000000bbbb";
type Place = ReturnType<typeof machine>;

async function prepare(place: Place, change: Parameters<typeof prepareInput>[2] = {}): Promise<Environment & { codexHome: string }> {
  const environment = await prepareEnvironment(prepareInput(place, FIRST, { provider: "codex", cliVersion: "0.169.0", ...change }));
  environment.release();
  if (environment.codexHome === undefined) throw new Error("no codex home");
  return { ...environment, codexHome: environment.codexHome };
}

async function reuse(place: Place, environment: Environment): Promise<Environment> {
  const again = await reuseEnvironment({ ...prepareInput(place, SECOND, { provider: "codex" }), priorWorkDir: environment.workdir });
  if (again === null) throw new Error("not reused");
  again.release();
  return again;
}

describe("a task's codex home", () => {
  it("links to the shared home, copies what is there and sets the sandbox", async () => {
    const place = machine();
    put(join(place.shared, "auth.json"), '{"token":"t"}');
    put(join(place.shared, "config.toml"), 'model = "m"\n');
    put(join(place.shared, "instructions.md"), "be good");
    const { codexHome, env, root } = await prepare(place);
    expect(readlinkSync(join(codexHome, "sessions"))).toBe(join(place.shared, "sessions"));
    expect(readlinkSync(join(codexHome, "auth.json"))).toBe(join(place.shared, "auth.json"));
    expect(readlinkSync(join(codexHome, "plugins", "cache"))).toBe(join(place.shared, "plugins", "cache"));
    expect(readFileSync(join(codexHome, "instructions.md"), "utf8")).toBe("be good");
    expect(existsSync(join(codexHome, "config.json"))).toBe(false);
    expect(parse(readFileSync(join(codexHome, "config.toml"), "utf8"))).toMatchObject({
      model: "m",
      sandbox_mode: "workspace-write",
      allow_login_shell: false,
      sandbox_workspace_write: { network_access: true },
    });
    expect(statSync(join(codexHome, "config.toml")).mode & 0o777).toBe(0o600);
    expect(readFileSync(join(place.shared, "config.toml"), "utf8")).toBe('model = "m"\n');
    expect(env).toMatchObject({ CODEX_HOME: codexHome, MULTICA_REPO_CHECKOUT_MODE: "isolated" });
    expect((await readRecord(root))?.codex).toEqual({ shared_home: place.shared, cli_version: "0.169.0", sessions_mode: "shared", session_store: null, sandbox_mode: "workspace-write", multi_agent: true, memory: true });
  });

  it("has nothing but our block and the links when the shared home is empty", async () => {
    const { codexHome } = await prepare(machine());
    expect(existsSync(join(codexHome, "auth.json"))).toBe(false);
    expect(existsSync(join(codexHome, "skills"))).toBe(false);
    expect(statSync(join(codexHome, "sessions")).isDirectory()).toBe(true);
  });

  it("asks for no isolated checkout when Codex runs without its sandbox", async () => {
    const place = machine();
    const host = { env: { MULTICA_CODEX_SANDBOX: "danger-full-access" }, home: place.home, platform: "linux" as const };
    const { env, codexHome } = await prepare(place, { host });
    expect(Object.keys(env)).not.toContain("MULTICA_REPO_CHECKOUT_MODE");
    expect(readFileSync(join(codexHome, "config.toml"), "utf8")).toContain('sandbox_mode = "danger-full-access"');
  });

  it.each([
    ["isolated", "codex", "isolated"],
    ["isolated", "acp", "isolated"],
    ["linked", "codex", undefined],
    ["auto", "codex", "isolated"],
    ["auto", "acp", undefined],
  ] as const)("with the setting %s tells the checkouts of a %s agent: %s", async (checkoutMode, provider, expected) => {
    const environment = await prepareEnvironment(prepareInput(machine(), FIRST, { cliVersion: "0.169.0", checkoutMode, provider }));
    expect(environment.env["MULTICA_REPO_CHECKOUT_MODE"]).toBe(expected);
    environment.release();
  });

  it("asks for no isolated checkout on macOS, where the sandbox lets a git directory outside be written", async () => {
    const place = machine();
    const { env } = await prepare(place, { host: { env: {}, home: place.home, platform: "darwin" } });
    expect(env["MULTICA_REPO_CHECKOUT_MODE"]).toBeUndefined();
  });

  it("keeps edits, rollouts and Codex's own files through a reuse, byte for byte and without a write", async () => {
    const place = machine();
    put(join(place.shared, "auth.json"), "{}");
    const first = await prepare(place);
    put(join(first.codexHome, "rollouts", "session.jsonl"), "data");
    put(join(first.codexHome, "state_5.sqlite"), "db");
    const config = join(first.codexHome, "config.toml");
    writeFileSync(config, `${readFileSync(config, "utf8")}\nmodel_reasoning_effort = "high"\n[projects."/w"]\ntrust_level = "trusted"\n`);
    put(join(place.shared, "instructions.md"), "later");
    await reuse(place, first);
    const before = snapshot(first.codexHome);
    await reuse(place, first);
    expect(snapshot(first.codexHome)).toEqual(before);
    expect(readFileSync(config, "utf8")).toContain('model_reasoning_effort = "high"');
  });

  it("puts back what is missing and repoints wrong links on a reuse", async () => {
    const place = machine();
    put(join(place.shared, "auth.json"), "{}");
    put(join(place.shared, "config.toml"), 'model = "m"\n');
    const first = await prepare(place);
    rmSync(join(first.codexHome, "sessions"));
    rmSync(join(first.codexHome, "auth.json"));
    symlinkSync("/nonexistent", join(first.codexHome, "auth.json"));
    rmSync(join(first.codexHome, "config.toml"));
    await reuse(place, first);
    expect(readlinkSync(join(first.codexHome, "sessions"))).toBe(join(place.shared, "sessions"));
    expect(readFileSync(join(first.codexHome, "auth.json"), "utf8")).toBe("{}");
    expect(parse(readFileSync(join(first.codexHome, "config.toml"), "utf8"))).toMatchObject({ model: "m", sandbox_workspace_write: { network_access: true } });
  });

  it("leaves a real sessions directory alone, and links credentials of its own while keeping them", async () => {
    const place = machine();
    const first = await prepare(place);
    rmSync(join(first.codexHome, "sessions"));
    put(join(first.codexHome, "sessions", "rollout-1-x.jsonl"), "history");
    put(join(first.codexHome, "auth.json"), "own");
    put(join(place.shared, "auth.json"), "shared");
    await reuse(place, first);
    expect(readFileSync(join(first.codexHome, "sessions", "rollout-1-x.jsonl"), "utf8")).toBe("history");
    expect(readFileSync(join(first.codexHome, "auth.json"), "utf8")).toBe("shared");
    expect(readFileSync(join(first.codexHome, ".multica", "backup", "auth.json"), "utf8")).toBe("own");
  });

  it("turns a link to the shared config back into a file and leaves the shared one as it is", async () => {
    const place = machine();
    put(join(place.shared, "config.toml"), 'model = "m"\n');
    const first = await prepare(place);
    rmSync(join(first.codexHome, "config.toml"));
    symlinkSync(join(place.shared, "config.toml"), join(first.codexHome, "config.toml"));
    await reuse(place, first);
    expect(lstatSync(join(first.codexHome, "config.toml")).isFile()).toBe(true);
    expect(readFileSync(join(place.shared, "config.toml"), "utf8")).toBe('model = "m"\n');
  });

  it("copies the files that the config names, and says which one is missing", async () => {
    const place = machine();
    put(join(place.shared, "config.toml"), 'model_catalog_json = "deep/models.json"\nmodel_instructions_file = "/etc/hosts"\n');
    await expect(prepare(place)).rejects.toMatchObject({ code: "codex_config_invalid", message: expect.stringMatching(/model_catalog_json.*deep\/models\.json.*does not exist/) });
    put(join(place.shared, "deep", "models.json"), "[]");
    const { codexHome } = await prepare(place);
    expect(readFileSync(join(codexHome, "deep", "models.json"), "utf8")).toBe("[]");
    put(join(place.shared, "config.toml"), 'model_catalog_json = "../x.json"\n');
    rmSync(join(codexHome, ".."), { recursive: true });
    await expect(prepare(place)).rejects.toMatchObject({ code: "codex_config_invalid", message: expect.stringContaining("leaves the Codex home") });
  });
});

describe("sharedCodexHome", () => {
  it("is CODEX_HOME, unless that lies in the workspaces root, else ~/.codex", () => {
    const { root, home, shared } = machine();
    mkdirSync(join(root, "w", "t", "codex-home"), { recursive: true });
    symlinkSync(join(root, "w", "t", "codex-home"), join(home, "link"));
    expect(sharedCodexHome({ env: { CODEX_HOME: "/elsewhere" }, home }, root)).toBe("/elsewhere");
    expect(sharedCodexHome({ env: { CODEX_HOME: join(root, "w", "t", "codex-home") }, home }, root)).toBe(shared);
    expect(sharedCodexHome({ env: { CODEX_HOME: join(home, "link") }, home }, root)).toBe(shared);
    expect(sharedCodexHome({ env: { CODEX_HOME: " " }, home }, root)).toBe(shared);
  });
});

import { chmodSync, copyFileSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { detectAgents, type DetectOptions, type Detection, getProvider, healAgent, probeVersion, resolveProfile, type RuntimeProfile } from "../../../src/lib/agents/index.ts";
import { processEnv } from "../../../src/lib/platform/index.ts";
import { tempDir } from "../../support/temp.ts";

const VERSION = join(import.meta.dirname, "..", "..", "fixtures", "agents-bin", "version.mjs");
const NODE_DIR = dirname(process.execPath);
const SYSTEM_PATH = `${NODE_DIR}:/usr/bin:/bin`;

/** An executable that answers --version as VERSION_OUT and VERSION_ERR tell it. */
function install(path: string): string {
  mkdirSync(dirname(path), { recursive: true });
  copyFileSync(VERSION, path);
  chmodSync(path, 0o755);
  return path;
}

function script(path: string, text: string): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text, { mode: 0o755 });
  return path;
}

function detect(home: string, env: Record<string, string>, more: Partial<DetectOptions> = {}): Promise<Detection> {
  return detectAgents({ env: { HOME: home, PATH: SYSTEM_PATH, VERSION_OUT: "codex-cli 0.169.0\n", ...env }, home, cwd: home, ...more });
}

describe("detectAgents", () => {
  it("pins what PATH finds to its real path [V13]", async () => {
    const home = tempDir();
    const real = install(join(home, "opt", "codex-1.2", "codex.mjs"));
    mkdirSync(join(home, "bin"));
    symlinkSync(real, join(home, "bin", "codex"));
    const { agents } = await detect(home, { PATH: `${join(home, "bin")}:${SYSTEM_PATH}` });
    expect(agents).toEqual([{ provider: "codex", path: real, version: "codex-cli 0.169.0", source: "path" }]);
  });

  it("takes a named path for final, found or not [V7]", async () => {
    const home = tempDir();
    install(join(home, "bin", "codex"));
    const named = install(join(home, "elsewhere", "my-codex"));
    const path = `${join(home, "bin")}:${SYSTEM_PATH}`;
    expect((await detect(home, { PATH: path, MULTICA_CODEX_PATH: ` ${named} ` })).agents).toMatchObject([{ path: named, source: "variable" }]);
    const missed = await detect(home, { PATH: path, MULTICA_CODEX_PATH: "/nowhere/codex" });
    expect(missed.agents).toEqual([]);
    expect(missed.skipped).toContainEqual({ provider: "codex", reason: "executable not found: /nowhere/codex", cause: "absent" });
  });

  it("looks behind a wrapper of the hooks directory [V8]", async () => {
    const home = tempDir();
    const hooks = join(home, ".multica", "hooks");
    install(join(hooks, "codex"));
    const only = await detect(home, { PATH: `${hooks}:${SYSTEM_PATH}` });
    expect(only.agents).toMatchObject([{ path: join(hooks, "codex") }]);
    const behind = install(join(home, "x", "codex"));
    expect((await detect(home, { PATH: `${hooks}:${join(home, "x")}:${SYSTEM_PATH}` })).agents).toMatchObject([{ path: behind }]);
  });

  it("keeps the name that a dispatcher is called by [V14]", async () => {
    const home = tempDir();
    install(join(home, "volta", "volta-shim"));
    symlinkSync(join(home, "volta", "volta-shim"), join(home, "volta", "codex"));
    expect((await detect(home, { PATH: `${join(home, "volta")}:${SYSTEM_PATH}` })).agents).toMatchObject([{ path: join(home, "volta", "codex") }]);
  });

  it("skips files that are no executables", async () => {
    const home = tempDir();
    mkdirSync(join(home, "a", "codex"), { recursive: true });
    mkdirSync(join(home, "b"));
    writeFileSync(join(home, "b", "codex"), "x");
    const found = install(join(home, "c", "codex"));
    const path = ["a", "b", "c"].map((name) => join(home, name)).join(":");
    expect((await detect(home, { PATH: `${path}:${SYSTEM_PATH}` })).agents).toMatchObject([{ path: found }]);
  });

  it("leaves out what is too old or unreadable, with the reason [V2, V3]", async () => {
    const home = tempDir();
    install(join(home, "bin", "codex"));
    const path = `${join(home, "bin")}:${SYSTEM_PATH}`;
    const old = await detect(home, { PATH: path, VERSION_OUT: "codex-cli 0.99.9" });
    expect(old).toMatchObject({ agents: [], skipped: [{ cause: "below_minimum", reason: expect.stringContaining("below minimum required 0.100.0") as string }] });
    const odd = await detect(home, { PATH: path, VERSION_OUT: "hello" });
    expect(odd.skipped).toMatchObject([{ reason: 'cannot parse detected codex version "hello"' }]);
  });

  it("gives a hanging probe up, and its child with it [V6]", async () => {
    const home = tempDir();
    install(join(home, "bin", "codex"));
    const before = performance.now();
    const result = await detect(home, { PATH: `${join(home, "bin")}:${SYSTEM_PATH}`, VERSION_HANG: "1" }, { probeTimeoutMs: 700 });
    expect(performance.now() - before).toBeLessThan(2700);
    expect(result).toMatchObject({ agents: [], skipped: [{ cause: "unavailable", reason: "version probe timed out after 700 ms" }] });
  });

  it("finds through the login shell what its profile adds, through noise and aliases [V9, V11]", async () => {
    const home = tempDir();
    const path = install(join(home, "tools", "codex"));
    writeFileSync(join(home, ".bash_profile"), `echo welcome; printf 'codex\\tnot-absolute\\n'; export PATH="${join(home, "tools")}:$PATH"\nalias codex='echo no'\ncodex() { echo no; }\n`);
    const { agents } = await detect(home, { SHELL: "/bin/bash" });
    expect(agents).toMatchObject([{ path, source: "login-shell" }]);
  });

  it("asks no shell that it does not know, and waits for none [V10, V12]", async () => {
    const home = tempDir();
    install(join(home, "tools", "codex"));
    const fish = script(join(home, "fish"), `#!/bin/sh\nprintf 'codex\\t${join(home, "tools", "codex")}\\n'\n`);
    expect((await detect(home, { SHELL: fish })).agents).toEqual([]);
    const slow = script(join(home, "bash"), "#!/bin/sh\nsleep 30\n");
    const before = performance.now();
    expect((await detect(home, { SHELL: slow })).agents).toEqual([]);
    expect(performance.now() - before).toBeLessThan(5500);
  });
});

describe("healAgent", () => {
  const spec = getProvider("codex");

  it("keeps a path that is there, follows a version manager to the next one, and probes it [V15]", async () => {
    const home = tempDir();
    const old = install(join(home, "v1", "codex"));
    const link = join(home, "bin", "codex");
    mkdirSync(dirname(link));
    symlinkSync(old, link);
    const options = { env: { HOME: home, PATH: `${join(home, "bin")}:${SYSTEM_PATH}`, VERSION_OUT: "codex-cli 0.142.3" }, home, cwd: home };
    const [pinned] = (await detectAgents(options)).agents;
    if (pinned === undefined) throw new Error("not found");
    expect(await healAgent(spec, pinned, options)).toBe(pinned);
    rmSync(join(home, "v1"), { recursive: true });
    expect(await healAgent(spec, pinned, options)).toMatchObject({ cause: "absent", reason: `codex executable not found at "${old}"` });
    const next = install(join(home, "v2", "codex"));
    rmSync(link);
    symlinkSync(next, link);
    const healed = await healAgent(spec, pinned, { ...options, env: { ...options.env, VERSION_OUT: "codex-cli 0.169.0" } });
    expect(healed).toEqual({ provider: "codex", path: next, version: "codex-cli 0.169.0", source: "path" });
    expect(await healAgent(spec, { ...pinned, source: "variable" }, options)).toMatchObject({ cause: "absent" });
  });
});

describe("probeVersion", () => {
  it("reads both streams, stdout first, behind the profile's own arguments", async () => {
    const env = { ...processEnv(), VERSION_OUT: "", VERSION_ERR: "WARNING\n0.73.1\n" };
    const probe = (extra: Record<string, string>) => probeVersion({ executable: process.execPath, prefix: [VERSION], probeArgs: ["--version"], env: { ...env, ...extra }, cwd: tempDir() });
    expect(await probe({})).toEqual({ ok: true, version: "0.73.1" });
    expect(await probe({ VERSION_OUT: "codex-cli 0.1.2\n" })).toEqual({ ok: true, version: "codex-cli 0.1.2" });
  });

  it("says why a file cannot be run", async () => {
    const dir = tempDir();
    const text = script(join(dir, "stub"), "\u0000\u0001 not a program");
    const result = await probeVersion({ executable: text, probeArgs: ["--version"], env: processEnv(), cwd: dir });
    expect(result).toMatchObject({ ok: false, reason: expect.stringContaining("version probe failed") as string });
  });
});

describe("resolveProfile", () => {
  const profile = (change: Partial<RuntimeProfile> = {}): RuntimeProfile => ({ id: "p", displayName: "P", protocolFamily: "codex", commandName: "my-codex", fixedArgs: [], ...change });

  it("skips an empty profile and reports what cannot be used [V19]", async () => {
    const home = tempDir();
    const lookup = { env: { PATH: SYSTEM_PATH }, cwd: home };
    expect(await resolveProfile(profile({ commandName: " " }), lookup)).toMatchObject({ kind: "skipped" });
    expect(await resolveProfile(profile({ protocolFamily: "nope" }), lookup)).toEqual({ kind: "failed", reason: "unsupported protocol_family: nope" });
    expect(await resolveProfile(profile(), lookup)).toEqual({ kind: "failed", reason: "command not found on PATH: my-codex" });
    expect(await resolveProfile(profile(), { ...lookup, override: "/nowhere" })).toEqual({
      kind: "failed",
      reason: "Configured path override is not executable: /nowhere; command not found on PATH: my-codex",
    });
  });

  it("prefers this machine's override, and falls back to PATH from a broken one [V20]", async () => {
    const home = tempDir();
    const onPath = install(join(home, "bin", "my-codex"));
    const override = install(join(home, "other"));
    const lookup = { env: { PATH: `${join(home, "bin")}:${SYSTEM_PATH}`, VERSION_OUT: "0.0.1" }, cwd: home };
    expect(await resolveProfile(profile(), { ...lookup, override })).toEqual({ kind: "found", provider: "codex", path: override, version: "0.0.1" });
    expect(await resolveProfile(profile(), { ...lookup, override: "/nowhere" })).toMatchObject({ kind: "found", path: onPath });
  });

  it("accepts a profile whose version cannot be learned", async () => {
    const home = tempDir();
    script(join(home, "my-codex"), "#!/bin/sh\nexit 4\n");
    expect(await resolveProfile(profile(), { env: { PATH: `${home}:${SYSTEM_PATH}` }, cwd: home })).toMatchObject({ kind: "found", version: "" });
  });
});

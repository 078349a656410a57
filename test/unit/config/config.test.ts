import { chmodSync, existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  checkAccess,
  defaultWorkspacesRoot,
  findTaskMarker,
  listProfiles,
  normalizeServerUrl,
  openSettingsStore,
  parseSetting,
  profilePort,
  readRawSettings,
  readSettings,
  requireApiAccess,
  requireWorkspaceId,
  resolveContext,
  resolveDaemonConfig,
  resolveStateDir,
  splitShellWords,
} from "../../../src/lib/config/index.ts";
import { isMulticaError, type MulticaError } from "../../../src/lib/core/index.ts";
import { tempDir } from "../../support/temp.ts";

function thrown(fn: () => unknown): MulticaError {
  try {
    fn();
  } catch (error) {
    if (isMulticaError(error)) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

describe("normalizeServerUrl", () => {
  it.each([
    ["ws://h/ws", "http://h"],
    ["wss://h:1/ws?x#y", "https://h:1"],
    ["http://h/", "http://h"],
    ["http://h/ws/", "http://h/ws"],
    ["http://h/base/", "http://h/base"],
    ["wss://h/base/ws", "https://h/base/ws"],
    ["h:1", "h:1"],
    ["ftp://h", "ftp://h"],
  ])("turns %s into %s", (raw, expected) => {
    expect(normalizeServerUrl(raw)).toBe(expected);
  });
});

describe("profiles", () => {
  it("derives port and directories from the name", () => {
    expect(profilePort("")).toBe(19_514);
    expect(profilePort("p")).toBe(19_515 + 112);
    expect(profilePort("ab")).toBe(profilePort("ba"));
    expect(defaultWorkspacesRoot("p", "/h")).toBe("/h/multica_workspaces_p");
    expect(resolveStateDir({ env: {}, profile: "", home: "/h" })).toBe("/h/.multica");
    expect(resolveStateDir({ env: {}, profile: "a/b", home: "/h" })).toBe("/h/.multica/profiles/a/b");
    expect(resolveStateDir({ env: { MULTICA_HOME: "/m" }, profile: "p", home: "/h" })).toBe("/m/profiles/p");
  });

  it("keeps a task below its own root, whatever MULTICA_HOME says", () => {
    const env = { MULTICA_HOME: "/m", MULTICA_TASK_CONFIG_ROOT: "/t" };
    expect(resolveStateDir({ env, profile: "", home: "/h" })).toBe("/t");
    expect(resolveStateDir({ env, profile: "p", home: "/h" })).toBe("/t/profiles/p");
    for (const profile of ["a/b", "..", ".", "/x", "a\\b"]) {
      expect(thrown(() => resolveStateDir({ env, profile, home: "/h" })).exit).toBe(2);
    }
    expect(thrown(() => resolveStateDir({ env: { MULTICA_TASK_CONFIG_ROOT: "t" }, home: "/h" })).code).toBe("bad_task_config_root");
  });

  it("refuses a name that leaves the state root", () => {
    for (const profile of ["../x", "a/../b", "/abs", "a//b"]) {
      expect(thrown(() => resolveStateDir({ env: {}, profile, home: "/h" })).exit).toBe(2);
    }
  });

  it("lists profiles at any depth that have settings", () => {
    const root = tempDir();
    for (const name of ["b", "a/x", "empty"]) mkdirSync(join(root, "profiles", name), { recursive: true });
    for (const name of ["b", "a/x"]) writeFileSync(join(root, "profiles", name, "config.json"), "{}");
    expect(listProfiles(root)).toEqual(["a/x", "b"]);
  });
});

describe("settings", () => {
  it("reads a missing or empty file as nothing", () => {
    const dir = tempDir();
    expect(readSettings(dir)).toEqual({});
    writeFileSync(join(dir, "config.json"), "\n");
    expect(readSettings(dir)).toEqual({});
  });

  it("creates the file with mode 0600 and two-space JSON", async () => {
    const dir = join(tempDir(), "new");
    const store = await openSettingsStore(dir);
    expect(existsSync(dir)).toBe(false);
    await store.set({ server_url: "http://h", token: "mul_x" });
    expect(statSync(store.path).mode & 0o777).toBe(0o600);
    expect(readFileSync(store.path, "utf8")).toBe('{\n  "server_url": "http://h",\n  "token": "mul_x"\n}\n');
    expect(readdirSync(dir)).toEqual(["config.json"]);
  });

  it("keeps unknown keys at every level and closes an open file", async () => {
    const dir = tempDir();
    const path = join(dir, "config.json");
    const before = { future: { deep: [1, { x: null }] }, token: "mul_a", backends: { openclaw: { own: 1 } } };
    writeFileSync(path, JSON.stringify(before), { mode: 0o644 });
    const store = await openSettingsStore(dir);
    await store.set({ workspace_id: "w" });
    await store.unset("token");
    const { token: _, ...rest } = before;
    expect(readRawSettings(dir)).toEqual({ ...rest, workspace_id: "w" });
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it("does not write when nothing changes", async () => {
    const dir = tempDir();
    const path = join(dir, "config.json");
    writeFileSync(path, '{"device_name":"x"}');
    await (await openSettingsStore(dir)).set({ device_name: "x" });
    expect(readFileSync(path, "utf8")).toBe('{"device_name":"x"}');
  });

  it("leaves a file alone that it cannot parse or read, and names it", async () => {
    const dir = tempDir();
    const path = join(dir, "config.json");
    for (const text of ["{ broken", "[1]", '"text"']) {
      writeFileSync(path, text);
      const error = thrown(() => readSettings(dir));
      expect([error.code, error.exit]).toEqual(["settings_unreadable", 1]);
      expect(error.message).toContain(path);
      await expect(openSettingsStore(dir)).rejects.toMatchObject({ code: "settings_unreadable" });
      expect(readFileSync(path, "utf8")).toBe(text);
      expect(readdirSync(dir)).toEqual(["config.json"]);
    }
    const folder = tempDir();
    mkdirSync(join(folder, "config.json"));
    expect(thrown(() => readSettings(folder)).code).toBe("settings_unreadable");
  });

  it("makes a task's directories private up to its root", async () => {
    const root = tempDir();
    const dir = join(root, "profiles", "p");
    mkdirSync(dir, { recursive: true });
    chmodSync(root, 0o755);
    const store = await openSettingsStore(dir, { privateBelow: root });
    await store.set({ workspace_id: "w" });
    for (const path of [dir, join(root, "profiles"), root]) expect(statSync(path).mode & 0o777).toBe(0o700);
  });
});

describe("parseSetting", () => {
  it("accepts and normalises", () => {
    expect(parseSetting("poll_interval", " 5s ", "/c")).toBe("5s");
    expect(parseSetting("agent_timeout", "0s", "/c")).toBe("0s");
    expect(parseSetting("workspaces_root", "ws", "/c")).toBe("/c/ws");
    expect(parseSetting("max_concurrent_tasks", "3", "/c")).toBe(3);
    expect(parseSetting("disable_auto_update", "t", "/c")).toBe(true);
    expect(parseSetting("repo_checkout_mode", "isolated", "/c")).toBe("isolated");
    expect(parseSetting("repo_checkout_mode", "auto", "/c")).toBeUndefined();
    expect(parseSetting("agent_transport", "host", "/c")).toBe("host");
    expect(parseSetting("agent_transport", "child", "/c")).toBeUndefined();
    expect(parseSetting("exec_launcher", "systemd-run", "/c")).toBe("systemd-run");
    expect(parseSetting("exec_launcher", "auto", "/c")).toBeUndefined();
    for (const key of ["agent_timeout", "server_url", "disable_auto_update"]) expect(parseSetting(key, "", "/c")).toBeUndefined();
  });

  it.each([
    ["token", "mul_x"],
    ["nonsense", "1"],
    ["toString", "1"],
    ["poll_interval", "0s"],
    ["poll_interval", "-1s"],
    ["poll_interval", "abc"],
    ["max_concurrent_tasks", "-1"],
    ["agent_timeout", "-1s"],
    ["disable_auto_reload", "maybe"],
    ["repo_checkout_mode", "worktree"],
    ["agent_transport", "socket"],
    ["exec_launcher", "launchd"],
  ])("refuses %s = %s with exit 2", (key, value) => {
    expect(thrown(() => parseSetting(key, value, "/c")).exit).toBe(2);
  });
});

describe("resolveContext", () => {
  const home = (): string => {
    const dir = tempDir();
    mkdirSync(join(dir, ".multica"));
    writeFileSync(join(dir, ".multica", "config.json"), JSON.stringify({ token: "mul_own", server_url: "ws://own/ws", workspace_id: "own" }));
    return dir;
  };
  const mark = (dir: string, content: unknown): string => {
    mkdirSync(join(dir, ".multica"), { recursive: true });
    const path = join(dir, ".multica", "daemon_task_context.json");
    writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
    return path;
  };

  it("prefers flag over environment over settings for a person", () => {
    const base = { cwd: tempDir(), home: home() };
    const plain = resolveContext({ ...base, env: {} });
    expect([plain.kind, plain.token, plain.serverUrl, plain.workspaceId]).toEqual(["human", "mul_own", "http://own", "own"]);
    const env = { MULTICA_SERVER_URL: " http://env ", MULTICA_WORKSPACE_ID: "env", MULTICA_TOKEN: "mul_env" };
    expect(resolveContext({ ...base, env })).toMatchObject({ serverUrl: "http://env", workspaceId: "env", token: "mul_env" });
    const flags = { serverUrl: "http://flag", workspaceId: "flag" };
    expect(resolveContext({ ...base, env, flags })).toMatchObject({ serverUrl: "http://flag", workspaceId: "flag" });
    expect(resolveContext({ ...base, env: { MULTICA_TOKEN: "  " } }).token).toBe("mul_own");
  });

  it.each([{ MULTICA_AGENT_ID: "a" }, { MULTICA_TASK_ID: "t" }, { MULTICA_DAEMON_PORT: "1" }])("never uses the user's settings with %o", (env) => {
    const context = resolveContext({ cwd: tempDir(), home: home(), env });
    expect([context.managed, context.token, context.serverUrl, context.workspaceId]).toEqual([true, undefined, undefined, undefined]);
    expect(thrown(() => requireApiAccess(context))).toMatchObject({ exit: 3 });
    expect(thrown(() => requireApiAccess(context)).message).toContain("mat_");
    expect(thrown(() => requireApiAccess(resolveContext({ cwd: tempDir(), home: home(), env: { ...env, MULTICA_TOKEN: "mul_x" } }))).exit).toBe(3);
    expect(thrown(() => requireWorkspaceId(context)).message).toContain("no fallback");
  });

  it("tells an agent whom to ask, and a person which variables are in the way, when a command is the owner's", () => {
    const context = resolveContext({ cwd: tempDir(), home: home(), env: { MULTICA_TASK_ID: "t" } });
    const error = thrown(() => checkAccess("human", "daemon stop", context, false));
    expect([error.exit, error.suggestions.join(" ")]).toEqual([1, expect.stringMatching(/issue comment add.*unset MULTICA_TASK_ID/)]);
  });

  it("tells a port-only shell to drop the variable, and nothing about markers", () => {
    const error = thrown(() => requireApiAccess(resolveContext({ cwd: tempDir(), home: home(), env: { MULTICA_DAEMON_PORT: "1" } })));
    expect(error.suggestions.join(" ")).toContain("MULTICA_DAEMON_PORT");
    expect(error.suggestions.join(" ")).not.toContain("delete");
  });

  it.each([{ issue_id: "i" }, { chat_session_id: "c" }, { agent_id: "a" }])("names a left-over marker with %o and leaves it", (ids) => {
    const dir = tempDir();
    const path = mark(dir, { managed_by: "multica-daemon-task", ...ids });
    mkdirSync(join(dir, "a", "b"), { recursive: true });
    const context = resolveContext({ cwd: join(dir, "a", "b"), home: home(), env: {} });
    expect(context.kind).toBe("task");
    expect(thrown(() => requireApiAccess(context)).suggestions.join(" ")).toContain(path);
    expect(existsSync(path)).toBe(true);
    const real = resolveContext({ cwd: dir, home: home(), env: { MULTICA_TASK_ID: "t" } });
    expect(thrown(() => requireApiAccess(real)).suggestions).toEqual([]);
  });

  it("guards below a workspaces root without calling its marker removable", () => {
    const dir = tempDir();
    mark(dir, { managed_by: "multica-daemon-task" });
    const context = resolveContext({ cwd: dir, home: home(), env: {} });
    expect([context.kind, context.leftoverMarker]).toEqual(["task", undefined]);
  });

  it("walks past anything that is not its marker", () => {
    const dir = tempDir();
    for (const content of ["{ broken", { managed_by: "somebody" }, "[]"]) {
      mark(dir, content);
      expect(findTaskMarker(dir)).toBeUndefined();
    }
    const other = tempDir();
    mkdirSync(join(other, ".multica", "daemon_task_context.json"), { recursive: true });
    expect(resolveContext({ cwd: other, home: home(), env: {} }).kind).toBe("human");
  });

  it.each([
    ["45s", 45_000],
    ["2m", 120_000],
    ["1m30s", 90_000],
    ["10", 10_000],
    ["0", 30_000],
    ["-5", 30_000],
    ["x", 30_000],
    ["", 30_000],
  ])("reads MULTICA_HTTP_TIMEOUT=%s as %i ms", (value, expected) => {
    expect(resolveContext({ cwd: tempDir(), home: tempDir(), env: { MULTICA_HTTP_TIMEOUT: value } }).httpTimeoutMs).toBe(expected);
  });
});

describe("resolveDaemonConfig", () => {
  const base = { flags: {}, env: {}, settings: {}, profile: "", stateDir: "/s", home: "/h", hostname: "box" };

  it("takes flag, environment, settings and default in this order", () => {
    const settings = { poll_interval: "9s" };
    const env = { MULTICA_DAEMON_POLL_INTERVAL: "7s" };
    expect(resolveDaemonConfig({ ...base, flags: { pollInterval: "5s" }, env, settings }).pollIntervalMs).toBe(5000);
    expect(resolveDaemonConfig({ ...base, env, settings }).pollIntervalMs).toBe(7000);
    expect(resolveDaemonConfig({ ...base, settings }).pollIntervalMs).toBe(9000);
    expect(resolveDaemonConfig(base)).toMatchObject({ pollIntervalMs: 30_000, heartbeatIntervalMs: 15_000, maxConcurrentTasks: 20, port: 19_514 });
    expect(resolveDaemonConfig(base)).toMatchObject({ serverUrl: "http://localhost:8080", deviceName: "box", workspacesRoot: "/h/multica_workspaces" });
  });

  it("dies on a malformed value and names where it stands", () => {
    const bad = [
      [{ env: { MULTICA_DAEMON_POLL_INTERVAL: "abc" } }, "MULTICA_DAEMON_POLL_INTERVAL"],
      [{ env: { MULTICA_DAEMON_MAX_CONCURRENT_TASKS: "many" } }, "MULTICA_DAEMON_MAX_CONCURRENT_TASKS"],
      [{ settings: { poll_interval: "0s" } }, "poll_interval"],
      [{ env: { MULTICA_CODEX_ARGS: "--a 'b" } }, "MULTICA_CODEX_ARGS"],
      [{ flags: { serverUrl: "ftp://h" } }, "ftp://h"],
    ] as const;
    for (const [part, name] of bad) {
      const error = thrown(() => resolveDaemonConfig({ ...base, ...part }));
      expect([error.exit, error.message.includes(name)]).toEqual([2, true]);
    }
  });

  it("lets a zero agent timeout win over the environment", () => {
    const env = { MULTICA_AGENT_TIMEOUT: "2h" };
    expect(resolveDaemonConfig({ ...base, env }).agentTimeoutMs).toBe(7_200_000);
    expect(resolveDaemonConfig({ ...base, env, flags: { agentTimeout: "0" } }).agentTimeoutMs).toBe(0);
    expect(resolveDaemonConfig({ ...base, settings: { agent_timeout: "0s" } }).agentTimeoutMs).toBe(0);
    expect(resolveDaemonConfig({ ...base, env: { MULTICA_AGENT_IDLE_WATCHDOG: "0" } }).idleWatchdogMs).toBe(0);
    expect(resolveDaemonConfig({ ...base, env: { MULTICA_AGENT_TOOL_WATCHDOG: "1.5d" } }).toolWatchdogMs).toBe(36 * 3_600_000);
  });

  it("collects paths, models and arguments per provider", () => {
    const env = { MULTICA_CODEX_PATH: "/bin/codex", MULTICA_CODEX_MODEL: "m", MULTICA_CLAUDE_ARGS: '--a "b c"', MULTICA_QWEN_ARGS: " " };
    const config = resolveDaemonConfig({ ...base, env });
    expect(config.agentPaths).toEqual({ codex: "/bin/codex" });
    expect(config.agentModels).toEqual({ codex: "m" });
    expect(config.agentArgs).toEqual({ claude: ["--a", "b c"] });
  });
});

describe("splitShellWords", () => {
  it.each([
    ["", []],
    ["a  b", ["a", "b"]],
    ["'a b' \"c \\\" d\"", ["a b", 'c " d']],
    ["a\\ b ''", ["a b", ""]],
  ])("splits %s", (text, words) => {
    expect(splitShellWords(text, "X")).toEqual(words);
  });
});

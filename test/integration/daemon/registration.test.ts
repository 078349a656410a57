import { chmodSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { RunDaemonOptions } from "../../../src/lib/daemon/main.ts";
import type { AgentRuntime } from "../../../src/lib/wire/index.ts";
import { configFor, fakeAgents, type TestServer, testDaemon, testHome, testServer } from "../../support/daemon.ts";
import { waitFor } from "../../support/wait.ts";

const online = async (server: TestServer): Promise<AgentRuntime[]> => (await server.api.runtimes()).filter((runtime) => runtime.status === "online");

function command(path: string): string {
  writeFileSync(path, "#!/bin/sh\necho own-agent 1.2.3\n");
  chmodSync(path, 0o755);
  return path;
}

describe("registration", () => {
  it("registers the agents of this machine and says running only then", async () => {
    const server = await testServer();
    const home = testHome();
    const daemon = await testDaemon(home, configFor(home, server));
    const health = await daemon.health();
    expect(health).toMatchObject({ status: "running", profile: "", agents: ["codex"], state_root: daemon.stateDir, version: "9.9.9" });
    const [runtime] = await online(server);
    expect(runtime).toMatchObject({ provider: "codex", status: "online" });
    expect(health.workspaces).toEqual([{ id: server.workspaceId, runtimes: [runtime?.id] }]);
    await daemon.stop();
    expect(await online(server)).toEqual([]);
  });

  it("keeps the id of a runtime over a restart and leaves no file of a stopped daemon", async () => {
    const server = await testServer();
    const home = testHome();
    const config = configFor(home, server);
    const first = await testDaemon(home, config);
    const [before] = await online(server);
    await first.stop();
    for (const name of ["daemon.pid", "daemon.token", "daemon.json"]) expect(() => readFileSync(join(config.stateDir, name))).toThrow(/ENOENT/);
    await testDaemon(home, config);
    expect((await online(server))[0]?.id).toBe(before?.id);
  });

  it("waits without an agent and registers when a profile that fits appears, and converges to zero again", async () => {
    const server = await testServer();
    const home = testHome({});
    const own = command(join(home.home, "own-agent"));
    const daemon = await testDaemon(home, configFor(home, server, "", { syncIntervalMs: 100 }));
    expect(await daemon.health()).toMatchObject({ status: "running", agents: [], waiting_for: expect.stringContaining("an agent") });
    const profile = await server.api.createProfile(server.workspaceId, { display_name: "Own", protocol_family: "acp", command_name: own });
    const runtime = await waitFor("the profile's runtime", async () => (await online(server)).find((row) => row.profile_id === profile.id));
    expect(runtime).toMatchObject({ provider: "acp" });
    expect((await daemon.health())["waiting_for"]).toBeNull();
    await server.api.updateProfile(server.workspaceId, profile.id, { enabled: false });
    await waitFor("no runtime any more", async () => (await online(server)).length === 0);
    expect((await daemon.health()).workspaces).toEqual([{ id: server.workspaceId, runtimes: [] }]);
  });

  it("finds an agent that is installed while it waits, and does not start a login shell for each look", async () => {
    const server = await testServer();
    const home = testHome({});
    const calls = join(home.home, "shell-calls");
    const shell = join(home.home, "bash");
    writeFileSync(shell, `#!/bin/sh\necho call >> '${calls}'\n`);
    chmodSync(shell, 0o755);
    const env = { ...home.env, SHELL: shell };
    await testDaemon({ ...home, env }, configFor(home, server, "", { syncIntervalMs: 30 }));
    expect(await server.api.runtimes()).toEqual([]);
    fakeAgents(home.home, { codex: "0.130.0" });
    await waitFor("the agent's runtime", async () => (await online(server))[0]?.provider === "codex");
    expect(readFileSync(calls, "utf8")).toBe("call\n");
  });

  it("follows a profile change within one hint, keeps the built-in runtime, and reports a command that is missing", async () => {
    const server = await testServer();
    const home = testHome();
    const daemon = await testDaemon(home, configFor(home, server));
    const [builtin] = await online(server);
    const own = command(join(home.bin, "own-agent"));
    expect(own).toContain("own-agent");
    const good = await server.api.createProfile(server.workspaceId, { display_name: "Good", protocol_family: "acp", command_name: "own-agent" });
    await waitFor("the profile's runtime", async () => (await online(server)).some((row) => row.profile_id === good.id));
    const bad = await server.api.createProfile(server.workspaceId, { display_name: "Bad", protocol_family: "acp", command_name: "no-such-agent" });
    const failed = await waitFor("the failed profile's row", async () => (await server.api.runtimes()).find((row) => row.profile_id === bad.id));
    expect(failed.status).toBe("offline");
    expect(JSON.stringify(failed.metadata)).toContain("command not found on PATH: no-such-agent");
    const ids = (await daemon.health()).workspaces?.[0]?.runtimes;
    expect(ids).toContain(builtin?.id);
    expect(ids).not.toContain(failed.id);
    expect(ids).toHaveLength(2);
  });

  it("prefers this machine's own path for a profile, also when it was set while running", async () => {
    const server = await testServer();
    const home = testHome();
    const config = configFor(home, server);
    const daemon = await testDaemon(home, config);
    const own = command(join(home.home, "elsewhere"));
    const profile = await server.api.createProfile(server.workspaceId, { display_name: "P", protocol_family: "acp", command_name: "nowhere", enabled: false });
    const settings = JSON.parse(readFileSync(join(config.stateDir, "config.json"), "utf8")) as object;
    writeFileSync(join(config.stateDir, "config.json"), JSON.stringify({ ...settings, profile_command_overrides: { [profile.id]: own } }));
    await server.api.updateProfile(server.workspaceId, profile.id, { enabled: true });
    await waitFor("the profile's runtime", async () => (await online(server)).some((row) => row.profile_id === profile.id));
    await waitFor("its command in the status", async () => {
      const agents = (await daemon.health())["custom_agents"] as { path: string }[];
      return agents.some((agent) => agent.path === own);
    });
  });

  it("takes up a profile's command that is installed later, and takes one offline that is gone, with the reason", async () => {
    const server = await testServer();
    const home = testHome();
    const daemon = await testDaemon(home, configFor(home, server), { limits: { discovery: 40 } });
    const profile = await server.api.createProfile(server.workspaceId, { display_name: "Late", protocol_family: "acp", command_name: "late-agent" });
    const isOnline = async (): Promise<boolean> => (await online(server)).some((row) => row.profile_id === profile.id);
    await waitFor("the failed profile", async () => JSON.stringify((await daemon.health())["failed_profiles"] ?? []).includes("late-agent"));
    command(join(home.bin, "late-agent"));
    await waitFor("the profile's runtime", isOnline);
    rmSync(join(home.bin, "late-agent"));
    await waitFor("the profile's runtime gone", async () => !(await isOnline()));
    expect(JSON.stringify((await daemon.health())["failed_profiles"])).toContain("command not found on PATH: late-agent");
    command(join(home.bin, "late-agent"));
    await waitFor("the profile's runtime again", isOnline);
  });

  it("takes up a path that is set for an enabled profile, and its removal, without a restart", async () => {
    const server = await testServer();
    const home = testHome();
    const config = configFor(home, server);
    const file = join(config.stateDir, "config.json");
    const daemon = await testDaemon(home, config, { limits: { settingsPoll: 50 } });
    const [builtin] = await online(server);
    const profile = await server.api.createProfile(server.workspaceId, { display_name: "P", protocol_family: "acp", command_name: "nowhere" });
    await waitFor("the failed profile's row", async () => (await server.api.runtimes()).some((row) => row.profile_id === profile.id));
    const settings = JSON.parse(readFileSync(file, "utf8")) as object;
    const write = (paths: Record<string, string>): void => {
      writeFileSync(`${file}.new`, JSON.stringify({ ...settings, profile_command_overrides: paths }));
      renameSync(`${file}.new`, file);
    };
    write({ [profile.id]: command(join(home.home, "elsewhere")) });
    await waitFor("the profile's runtime", async () => (await online(server)).some((row) => row.profile_id === profile.id));
    write({});
    await waitFor("the profile's runtime gone", async () => !(await online(server)).some((row) => row.profile_id === profile.id));
    writeFileSync(file, "{broken");
    await waitFor("the complaint", () => readFileSync(join(config.stateDir, "daemon.log"), "utf8").includes("settings not readable"));
    expect((await daemon.health()).workspaces?.[0]?.runtimes).toEqual([builtin?.id]);
  });

  it("finds an agent that is installed while another one works, starts it once, and leaves custom profiles alone", async () => {
    const server = await testServer();
    const home = testHome({});
    const own = command(join(home.home, "own-agent"));
    const profile = await server.api.createProfile(server.workspaceId, { display_name: "Own", protocol_family: "acp", command_name: own });
    const daemon = await testDaemon(home, configFor(home, server), { limits: { discovery: 40 } });
    const [first] = await online(server);
    expect(first?.profile_id).toBe(profile.id);
    fakeAgents(home.home, { codex: "0.130.0" });
    const found = await waitFor("the new agent's runtime", async () => (await online(server)).find((row) => row.provider === "codex"));
    expect((await daemon.health()).workspaces).toEqual([{ id: server.workspaceId, runtimes: expect.arrayContaining([first?.id, found.id]) }]);
    expect((await daemon.health())["found_agents"]).toMatchObject([{ provider: "codex", source: "path", path: expect.stringContaining(home.home) }]);
    const log = (): string[] => readFileSync(join(daemon.stateDir, "daemon.log"), "utf8").split("\n");
    await waitFor("the line", () => log().some((line) => line.includes("agent CLI discovered after startup")));
  });

  it("refuses a second daemon on the same port or state directory and leaves the first one's files alone", async () => {
    const server = await testServer();
    const home = testHome();
    const config = configFor(home, server);
    const first = await testDaemon(home, config);
    const files = ["daemon.pid", "daemon.token", "daemon.json"].map((name) => join(config.stateDir, name));
    const before = files.map((path) => readFileSync(path, "utf8"));
    await expect(testDaemon(home, { ...config, port: first.port })).rejects.toMatchObject({ code: "port_taken", exit: 7, message: expect.stringContaining(`127.0.0.1:${first.port}`) });
    await expect(testDaemon(home, config)).rejects.toMatchObject({ code: "already_running", exit: 7 });
    expect(files.map((path) => readFileSync(path, "utf8"))).toEqual(before);
    expect(readFileSync(join(config.stateDir, "daemon.log"), "utf8").match(/"log opened"/g)).toHaveLength(1);
    expect((await first.health()).status).toBe("running");
  });

  it("serves two profiles of one machine side by side under one identity", async () => {
    const server = await testServer();
    const home = testHome();
    const one = await testDaemon(home, configFor(home, server, "one"));
    const two = await testDaemon(home, configFor(home, server, "two"));
    const [a, b] = [await one.health(), await two.health()];
    expect([a.profile, b.profile]).toEqual(["one", "two"]);
    expect(a.daemon_id).toBe(b.daemon_id);
    expect(one.port).not.toBe(two.port);
    expect(readFileSync(join(home.home, ".multica", "daemon.id"), "utf8").trim()).toBe(a.daemon_id);
  });

  it("leaves the tasks and runtimes of a profile alone when another one with the same account starts and ends", async () => {
    const server = await testServer();
    const home = testHome();
    const claimed: string[] = [];
    const work: RunDaemonOptions["runTask"] = ({ rootSignal }, task) => {
      claimed.push(task.id);
      return new Promise((resolve) => rootSignal.addEventListener("abort", () => resolve()));
    };
    const one = await testDaemon(home, configFor(home, server, "one"), { runTask: work });
    const [runtime] = await online(server);
    const agent = await server.api.createAgent({ name: "Dev", runtime_id: runtime?.id ?? "", visibility: "workspace" });
    const issue = await server.api.createIssue({ title: "Work", assignee_type: "agent", assignee_id: agent.id });
    await waitFor("the claim", () => claimed.length > 0);
    const two = await testDaemon(home, configFor(home, server, "two"), { runTask: work });
    await two.stop();
    expect((await server.api.taskRuns(issue.id)).map(({ id, status }) => ({ id, status }))).toEqual([{ id: claimed[0], status: "dispatched" }]);
    expect((await online(server)).map(({ id }) => id)).toEqual([runtime?.id]);
    await one.stop();
    expect(await online(server)).toEqual([]);
  });
});

import { chmodSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { LaunchEntry } from "../../../src/lib/daemon/runtimes.ts";
import type { AgentRuntime } from "../../../src/lib/wire/index.ts";
import { configFor, fakeAgents, type TestServer, testDaemon, testHome, testServer } from "../../support/daemon.ts";
import { fakeServer } from "../../support/fake-server.ts";
import { waitFor } from "../../support/wait.ts";

const FAST = { discovery: 40, versionRefresh: 60, notExecutableFor: 150 };
const codexOf = async (server: TestServer): Promise<AgentRuntime | undefined> => (await server.api.runtimes()).find((row) => row.provider === "codex");
const versionOf = (runtime: AgentRuntime | undefined): string => String(runtime?.metadata?.["version"] ?? "");

function program(path: string, version: string): void {
  writeFileSync(`${path}.new`, `#!/bin/sh\necho "codex ${version}"\n`);
  chmodSync(`${path}.new`, 0o755);
  renameSync(`${path}.new`, path);
}

describe("agents that change while the daemon runs", () => {
  it("are registered with their new version without a restart, under the same id [A-17]", async () => {
    const server = await testServer();
    const home = testHome();
    await testDaemon(home, configFor(home, server), { limits: FAST });
    const before = await codexOf(server);
    expect(versionOf(before)).toContain("0.130.0");
    program(join(home.bin, "codex"), "0.169.0");
    const after = await waitFor("the new version", async () => {
      const now = await codexOf(server);
      return versionOf(now).includes("0.169.0") ? now : undefined;
    });
    expect(after).toMatchObject({ id: before?.id, status: "online" });
  });

  it("go offline when they become too old, and come back when they are right again [A-7, A-18]", async () => {
    const server = await testServer();
    const home = testHome();
    const daemon = await testDaemon(home, configFor(home, server), { limits: FAST });
    const before = await codexOf(server);
    program(join(home.bin, "codex"), "0.99.0");
    await waitFor("the runtime offline", async () => (await codexOf(server))?.status === "offline");
    expect(await daemon.health()).toMatchObject({ agents: [], skipped_agents: { codex: expect.stringContaining("below minimum") } });
    program(join(home.bin, "codex"), "0.131.0");
    await waitFor("the runtime back", async () => (await codexOf(server))?.status === "online");
    expect((await codexOf(server))?.id).toBe(before?.id);
  });

  it("that stop answering stay online; a file that cannot be executed goes offline with its reason [A-18, A-20]", async () => {
    const server = await fakeServer({ newer: true });
    const home = testHome();
    const daemon = await testDaemon(home, configFor(home, { url: server.url, token: "mul_x" }), { limits: { ...FAST, notExecutableFor: 600 } });
    writeFileSync(join(home.bin, "codex"), "#!/bin/sh\nexit 3\n");
    await waitFor("the failed look", async () => (await daemon.health()).skipped_agents?.["codex"]);
    expect(server.seen("POST /api/daemon/deregister")).toEqual([]);
    expect((await daemon.health()).agents).toEqual(["codex"]);
    writeFileSync(join(home.bin, "codex"), "placeholder\n");
    const sent = await waitFor("the deregistration", () => server.last("POST /api/daemon/deregister"));
    expect(sent.body).toEqual({ runtime_ids: ["w1-codex"], offline_reasons: { "w1-codex": { code: "not_executable", detail: expect.stringContaining("neither a program nor a script") as string } } });
    const registered = server.seen("POST /api/daemon/register").length;
    program(join(home.bin, "codex"), "0.131.0");
    await waitFor("the registration", () => server.seen("POST /api/daemon/register").length > registered);
  });

  it("stay offline when the answer to an older registration arrives after the verdict [A-19]", async () => {
    const server = await fakeServer({ newer: true });
    const home = testHome();
    const daemon = await testDaemon(home, configFor(home, { url: server.url, token: "mul_x" }), { limits: FAST });
    program(join(home.bin, "codex"), "0.99.0");
    await waitFor("no runtime", async () => (await daemon.health()).workspaces?.[0]?.runtimes.length === 0);
    // A server that answers with the row all the same, as it would to a request sent before.
    server.routes.set("GET /api/daemon/workspaces/w1/runtime-profiles", { body: { workspace_id: "w1", runtime_profiles: [{ id: "p", display_name: "P", protocol_family: "acp", command_name: "nowhere", enabled: true }] } });
    server.routes.set("POST /api/daemon/register", { body: { runtimes: [{ id: "w1-codex", name: "x", provider: "codex", status: "online" }] } });
    const registered = server.seen("POST /api/daemon/register").length;
    const gone = server.seen("POST /api/daemon/deregister").length;
    await waitFor("the late answer", () => server.seen("POST /api/daemon/register").length > registered);
    await waitFor("the row deregistered again", () => server.seen("POST /api/daemon/deregister").length > gone);
    expect((await daemon.health()).workspaces?.[0]?.runtimes).toEqual([]);
  });

  it("are followed to where a version manager put them, at the next task, with the new version [A-12]; one too old is not started [A-13]", async () => {
    const server = await testServer();
    const home = testHome({});
    const at = (version: string): string => join(home.home, "versions", version);
    const link = join(home.bin, "codex");
    const use = (version: string): void => {
      mkdirSync(at(version), { recursive: true });
      program(join(at(version), "codex"), version);
      rmSync(link, { force: true });
      symlinkSync(join(at(version), "codex"), link);
    };
    mkdirSync(home.bin, { recursive: true });
    use("0.130.0");
    const launches: (LaunchEntry | null)[] = [];
    const daemon = await testDaemon(home, configFor(home, server), {
      runTask: (ctx, task) => {
        launches.push(ctx.runtimes.launchEntry(task.runtime_id));
        return Promise.resolve();
      },
    });
    const runtime = await codexOf(server);
    const agent = await server.api.createAgent({ name: "Dev", runtime_id: runtime?.id ?? "", visibility: "workspace" });
    const task = async (title: string): Promise<LaunchEntry | null> => {
      const before = launches.length;
      await server.api.createIssue({ title, assignee_type: "agent", assignee_id: agent.id });
      await waitFor("the task", () => launches.length > before);
      return launches.at(-1) ?? null;
    };
    expect(await task("one")).toMatchObject({ path: join(at("0.130.0"), "codex") });
    use("0.142.0");
    rmSync(at("0.130.0"), { recursive: true });
    expect(await task("two")).toMatchObject({ path: join(at("0.142.0"), "codex"), version: "codex 0.142.0" });
    fakeAgents(home.home, { other: "1" });
    mkdirSync(at("0.130.0"), { recursive: true });
    program(join(at("0.130.0"), "codex"), "0.130.0");
    expect(await task("three")).toMatchObject({ path: join(at("0.142.0"), "codex") });
    use("0.99.0");
    rmSync(at("0.142.0"), { recursive: true });
    expect(await task("four")).toMatchObject({ path: join(at("0.142.0"), "codex"), version: "codex 0.142.0" });
    expect((await daemon.health()).status).toBe("running");
  });
});

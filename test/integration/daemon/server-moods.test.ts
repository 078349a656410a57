import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { DaemonConfig } from "../../../src/lib/config/index.ts";
import { configFor, publishedPlace, type RunningDaemon, testDaemon, testHome } from "../../support/daemon.ts";
import { runDaemon } from "../../../src/lib/daemon/main.ts";
import { fakeServer, type FakeServer } from "../../support/fake-server.ts";
import { waitFor } from "../../support/wait.ts";

interface Started {
  readonly daemon: RunningDaemon;
  readonly config: DaemonConfig;
  log(): { level: string; msg: string; error?: string }[];
}

async function start(server: FakeServer, changes: Partial<DaemonConfig> = {}, options: Parameters<typeof testDaemon>[2] = {}, profile = ""): Promise<Started> {
  const home = testHome();
  const config = configFor(home, { url: server.url, token: "mul_x" }, profile, { deviceName: "box", ...changes });
  const daemon = await testDaemon(home, config, options);
  const log = (): { level: string; msg: string }[] =>
    readFileSync(join(config.stateDir, "daemon.log"), "utf8").trim().split("\n").map((line) => JSON.parse(line) as { level: string; msg: string });
  return { daemon, config, log };
}

const failure = (work: Promise<unknown>): Promise<{ code: string; exit: number; message: string }> =>
  work.then(() => expect.unreachable("it succeeded"), (error: unknown) => error as { code: string; exit: number; message: string });

describe("preflight", () => {
  it("renews the token before anything else, then lists, registers, recovers orphans and is ready", async () => {
    const server = await fakeServer({ newer: true });
    await start(server);
    expect(server.seen().slice(0, 5)).toEqual([
      "POST /api/tokens/current/renew",
      "GET /api/daemon/workspaces",
      "GET /api/daemon/workspaces/w1/runtime-profiles",
      "POST /api/daemon/register",
      "POST /api/daemon/runtimes/w1-codex/recover-orphans",
    ]);
    expect(server.last("POST /api/daemon/register")?.body).toMatchObject({
      workspace_id: "w1",
      cli_version: "0.4.24",
      device_name: "box",
      runtimes: [{ name: "Codex (box)", type: "codex", status: "online", version: expect.stringContaining("0.130.0") }],
      failed_profiles: [],
    });
    expect(server.requests[0]?.headers).toMatchObject({ authorization: "Bearer mul_x", "x-client-platform": "daemon", "x-client-version": "0.4.24" });
  });

  it("answers on the local port meanwhile, as starting, and can be stopped", async () => {
    const server = await fakeServer();
    server.routes.set("GET /api/workspaces", "hang");
    const home = testHome();
    const config = configFor(home, { url: server.url, token: "mul_x" });
    const stop = new AbortController();
    const done = runDaemon({ config, env: home.env, home: home.home, version: "9.9.9", signal: stop.signal, noState: true });
    const { port } = await publishedPlace(config.stateDir);
    const status = await waitFor("an answer", async () => ((await (await fetch(`http://127.0.0.1:${port}/health`)).json()) as { status: string }).status);
    expect(status).toBe("starting");
    stop.abort();
    await done;
    expect(existsSync(join(config.stateDir, "daemon.json"))).toBe(false);
  });

  it("warns with the login command when the renewal is refused, and goes on", async () => {
    const server = await fakeServer();
    server.routes.set("POST /api/tokens/current/renew", { status: 401, body: { error: "invalid token" } });
    const { log } = await start(server, {}, {}, "staging");
    expect(log().filter(({ level }) => level === "warn")[0]?.msg).toContain("multica --profile staging login");
  });

  it("goes on quietly when the renewal fails or hangs", async () => {
    for (const answer of [{ status: 500 }, "hang"] as const) {
      const server = await fakeServer();
      server.routes.set("POST /api/tokens/current/renew", answer);
      const { log, daemon } = await start(server, {}, { limits: { renewTimeout: 100 } });
      expect(log().filter(({ level, msg }) => level === "warn" && msg.includes("token"))).toEqual([]);
      await daemon.stop();
    }
  });

  it("is ready without a workspace and says what it waits for", async () => {
    const server = await fakeServer({ workspaces: [] });
    const { daemon } = await start(server);
    expect(await daemon.health()).toMatchObject({ status: "running", workspaces: [], waiting_for: expect.stringContaining("a workspace") });
  });

  it("fails with the server's status when no workspace can be registered, and when the list cannot be had", async () => {
    const server = await fakeServer();
    server.routes.set("POST /api/daemon/register", { status: 500, body: { error: "failed to register runtime" } });
    const error = await failure(start(server));
    expect(error).toMatchObject({ code: "registration_failed", exit: 1, message: "failed to register runtimes for any of the 1 workspace(s)" });
    server.routes.set("GET /api/workspaces", { status: 401, body: { error: "invalid token" } });
    expect(await failure(start(server))).toMatchObject({ exit: 3 });
    await server.stop();
    expect(await failure(start(server))).toMatchObject({ exit: 6 });
  });

  it("starts each agent once for 24 workspaces [A-9]", async () => {
    const server = await fakeServer({ newer: true, workspaces: Array.from({ length: 24 }, (_, at) => `w${at}`) });
    const home = testHome();
    const count = join(home.home, "count");
    writeFileSync(join(home.bin, "codex"), `#!/bin/sh\nprintf x >> '${count}'\necho codex 0.130.0\n`);
    await testDaemon(home, configFor(home, { url: server.url, token: "mul_x" }));
    expect(server.seen("POST /api/daemon/register")).toHaveLength(24);
    expect(readFileSync(count, "utf8")).toBe("x");
  });

  it("registers the other workspaces when one fails, and that one at a later sync", async () => {
    const server = await fakeServer({ workspaces: ["w1", "w2"] });
    const register = server.routes.get("POST /api/daemon/register");
    let broken = true;
    server.routes.set("POST /api/daemon/register", (request) => {
      if (broken && (request.body as { workspace_id: string }).workspace_id === "w1") return { status: 500 };
      return typeof register === "function" ? register(request) : { status: 500 };
    });
    const { daemon } = await start(server, {}, { limits: { syncLegacy: 50, syncMax: 50 } });
    expect((await daemon.health()).workspaces).toEqual([{ id: "w2", runtimes: ["w2-codex"] }]);
    broken = false;
    await waitFor("both workspaces", async () => (await daemon.health()).workspaces?.length === 2);
  });
});

describe("an older server", () => {
  it("is polled for each runtime singly, without a socket, and hears HTTP heartbeats", async () => {
    const server = await fakeServer();
    server.routes.set("POST /api/daemon/runtimes/*", ({ path }) => {
      if (!path.endsWith("/claim")) return { body: { orphaned: 0, retried: 0 } };
      return { body: { task: ran.length > 0 ? null : { id: "t1", agent_id: "a", runtime_id: "w1-codex", workspace_id: "w1", status: "dispatched" } } };
    });
    const ran: string[] = [];
    const flags = { version: 7, flags: { brief: "short" } };
    server.routes.set("POST /api/daemon/heartbeat", { body: { status: "ok", feature_flags: flags } });
    const { log, daemon } = await start(
      server,
      { pollIntervalMs: 50, heartbeatIntervalMs: 50 },
      {
        runTask: (_ctx, task) => {
          ran.push(task.id);
          return Promise.resolve();
        },
      },
    );
    await waitFor("the task", () => ran.length > 0);
    expect(ran).toEqual(["t1"]);
    expect(server.seen("POST /api/daemon/tasks/claim")).toHaveLength(1);
    expect(log().map(({ msg }) => msg)).toContain("server has no batch claims; falling back to single claims");
    await waitFor("heartbeats", () => server.seen("POST /api/daemon/heartbeat").length >= 2);
    expect(server.last("POST /api/daemon/heartbeat")?.body).toEqual({ runtime_id: "w1-codex", supports_batch_import: true });
    await waitFor("the server's switches in the status", async () => (await daemon.health()).feature_flags);
    expect(await daemon.health()).toMatchObject({ feature_flags: flags });
  });

  it("registers built-in agents when it knows no profiles", async () => {
    const server = await fakeServer();
    const { daemon } = await start(server);
    expect((await daemon.health()).workspaces).toEqual([{ id: "w1", runtimes: ["w1-codex"] }]);
  });
});

describe("a server in trouble", () => {
  it("does not make the daemon forget its workspaces; leaving one does, and takes it offline", async () => {
    const server = await fakeServer({ newer: true, workspaces: ["w1", "w2"] });
    const { daemon, log } = await start(server, {}, { limits: { syncDedicated: 30, syncMax: 30 } });
    server.routes.set("GET /api/daemon/workspaces", { status: 500 });
    await waitFor("a failed sync", () => log().some(({ msg }) => msg === "workspace sync failed"));
    expect((await daemon.health()).workspaces).toHaveLength(2);
    server.routes.set("GET /api/daemon/workspaces", { body: [{ id: "w2", name: "w2" }], headers: { etag: 'W/"2"' } });
    await waitFor("one workspace", async () => (await daemon.health()).workspaces?.length === 1);
    await waitFor("the deregistration", () => server.last("POST /api/daemon/deregister"));
    expect(server.last("POST /api/daemon/deregister")?.body).toEqual({ runtime_ids: ["w1-codex"] });
  });

  it("leaves the running task of a workspace alone that is left [W-21]", async () => {
    const server = await fakeServer({ newer: true, workspaces: ["w1", "w2"] });
    const work = Promise.withResolvers<void>();
    let claimed = false;
    server.routes.set("POST /api/daemon/tasks/claim", () => {
      if (claimed) return { body: { tasks: [] } };
      claimed = true;
      return { body: { tasks: [{ id: "t1", agent_id: "a", runtime_id: "w1-codex", workspace_id: "w1", status: "dispatched" }] } };
    });
    const signals: boolean[] = [];
    const { daemon } = await start(server, {}, {
      limits: { syncDedicated: 30, syncMax: 30 },
      runTask: async (ctx) => {
        await work.promise;
        signals.push(ctx.rootSignal.aborted);
      },
    });
    await waitFor("the task", async () => (await daemon.health()).active_task_count === 1);
    server.routes.set("GET /api/daemon/workspaces", { body: [{ id: "w2", name: "w2" }], headers: { etag: 'W/"2"' } });
    await waitFor("one workspace", async () => (await daemon.health()).workspaces?.length === 1);
    expect((await daemon.health()).active_task_count).toBe(1);
    work.resolve();
    await waitFor("the end of the task", async () => (await daemon.health()).active_task_count === 0);
    expect(signals).toEqual([false]);
  });

  it("uses the entity tag and keeps its list on 304", async () => {
    const server = await fakeServer({ newer: true });
    const { daemon } = await start(server, {}, { limits: { syncDedicated: 30, syncMax: 30 } });
    server.routes.set("GET /api/daemon/workspaces", { status: 304 });
    await waitFor("a conditional request", () => server.last("GET /api/daemon/workspaces")?.headers["if-none-match"] === 'W/"1"');
    expect((await daemon.health()).workspaces).toHaveLength(1);
  });

  it("recovers a runtime it answers 404 for, without recovering orphans of a sibling", async () => {
    const server = await fakeServer({ newer: true });
    let ids = 0;
    server.routes.set("POST /api/daemon/register", () => {
      ids += 1;
      return { body: { runtimes: [{ id: `r${ids}`, name: "x", provider: "codex", status: "online" }, { id: "sibling", name: "y", provider: "acp", status: "online" }] } };
    });
    server.routes.set("POST /api/daemon/heartbeat", ({ body }) => ((body as { runtime_id: string }).runtime_id === "r1" ? { status: 404, body: { error: "Runtime not found" } } : { body: { status: "ok" } }));
    const { daemon } = await start(server, { heartbeatIntervalMs: 30 });
    await waitFor("the new runtime", async () => (await daemon.health()).workspaces?.[0]?.runtimes.includes("r2"));
    await waitFor("its orphan recovery", () => server.seen("POST /api/daemon/runtimes/r2/recover-orphans").length === 1);
    expect(server.seen("POST /api/daemon/runtimes/sibling/recover-orphans")).toHaveLength(1);
    expect((await daemon.health()).workspaces?.[0]?.runtimes.toSorted()).toEqual(["r2", "sibling"]);
    expect(server.seen("POST /api/daemon/register")).toHaveLength(2);
  });

  it("does not hold the shutdown when the deregistration hangs", async () => {
    const server = await fakeServer({ newer: true });
    server.routes.set("POST /api/daemon/deregister", "hang");
    const { daemon, log } = await start(server, {}, { limits: { deregisterTimeout: 50 } });
    await daemon.stop();
    expect(log().at(-1)).toMatchObject({ level: "warn", msg: "deregistering runtimes failed" });
  });

  it("is not told about runtimes that a successor has taken over", async () => {
    const server = await fakeServer({ newer: true });
    const { daemon, config } = await start(server);
    const { writePid } = await import("../../../src/lib/daemon/files.ts");
    await writePid(config.stateDir, process.ppid);
    await daemon.stop();
    expect(server.seen("POST /api/daemon/deregister")).toEqual([]);
    expect(readFileSync(join(config.stateDir, "daemon.pid"), "utf8")).toBe(String(process.ppid));
  });
});

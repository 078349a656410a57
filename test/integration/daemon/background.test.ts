import { existsSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { RequestError, networkError } from "../../../src/lib/api/index.ts";
import { type StartOptions, daemonStatus, findDaemon, restartDaemon, startDaemon, stopDaemon } from "../../../src/lib/daemon/index.ts";
import { readDaemonInfo, readPid } from "../../../src/lib/daemon/files.ts";
import { findByEnv, freePort, processIdentity, sendSignal, spawnGroup, systemClock, terminateTree, tryFileLock } from "../../../src/lib/platform/index.ts";
import { openStateReader } from "../../../src/lib/state/open.ts";
import { configFor, type TestHome, testHome, type TestServer, testServer } from "../../support/daemon.ts";
import { waitFor } from "../../support/wait.ts";

const script = join(import.meta.dirname, "..", "..", "support", "daemon-entry.ts");

/** Start options of a profile; the daemon it starts is ended with the test, whatever happened. */
function place(home: TestHome, server: { readonly url: string; readonly token: string }, profile = "", changes: Partial<StartOptions> = {}): StartOptions {
  const config = configFor(home, server, profile);
  onTestFinished(async () => {
    for (const pid of [readPid(config.stateDir), readDaemonInfo(config.stateDir)?.pid]) {
      if (pid !== undefined && pid !== process.pid) await terminateTree({ pid, graceMs: 3000, clock: systemClock });
    }
  });
  return {
    stateDir: config.stateDir,
    profile,
    port: 0,
    token: server.token,
    serverUrl: server.url,
    self: { node: process.execPath, script },
    flags: ["--port", "0", ...(profile === "" ? [] : ["--profile", profile])],
    env: home.env,
    clock: systemClock,
    waitMs: 20_000,
    ...changes,
  };
}

const failure = (work: Promise<unknown>): Promise<{ code: string; exit: number; message: string; suggestions: string[] }> =>
  work.then(
    () => expect.unreachable("it succeeded"),
    (error: unknown) => error as { code: string; exit: number; message: string; suggestions: string[] },
  );

describe("starting in the background", () => {
  it("answers when the daemon can work, and stops it again", async () => {
    const server = await testServer();
    const options = place(testHome(), server);
    const started = await startDaemon(options);
    expect(started).toMatchObject({ status: "running", already_running: false, version: "9.9.9", warnings: [] });
    expect(readPid(options.stateDir)).toBe(started.pid);
    expect(readDaemonInfo(options.stateDir)).toMatchObject({ pid: started.pid, port: started.port });
    expect(await daemonStatus(options)).toMatchObject({ status: "running", pid: started.pid, port: started.port });
    expect((await server.api.runtimes())[0]?.status).toBe("online");
    const lines = readFileSync(started.log_path, "utf8").trim().split("\n");
    expect(lines.map((line) => (JSON.parse(line) as { msg: string }).msg)).toContain("starting daemon");
    expect(await stopDaemon({ ...options, clock: systemClock })).toEqual({ status: "stopped", pid: started.pid, warnings: [], exec_staying: 0 });
    expect(processIdentity(started.pid)).toBeNull();
    for (const file of ["daemon.pid", "daemon.json", "daemon.token"]) expect(existsSync(join(options.stateDir, file))).toBe(false);
    expect(await daemonStatus(options)).toEqual({ status: "stopped" });
    expect(await stopDaemon({ ...options, clock: systemClock })).toMatchObject({ status: "not_running" });
    expect((await server.api.runtimes())[0]?.status).toBe("offline");
  });

  it("refuses a second one with exit 7, and accepts it with ensure", async () => {
    const server = await testServer();
    const options = place(testHome(), server);
    const started = await startDaemon(options);
    expect(await failure(startDaemon(options))).toMatchObject({ code: "already_running", exit: 7, message: expect.stringContaining(`pid ${started.pid}`) });
    expect(await startDaemon({ ...options, ensure: true })).toMatchObject({ already_running: true, pid: started.pid });
  });

  it("starts one when two ask at once: the other is refused, or content with ensure", async () => {
    const server = await testServer();
    const port = await freePort();
    const options = place(testHome(), server, "", { port, flags: ["--port", String(port)] });
    const [one, other] = await Promise.allSettled([startDaemon(options), startDaemon(options)]);
    const [won, lost] = one.status === "fulfilled" ? [one, other] : [other, one];
    if (won.status !== "fulfilled" || lost.status !== "rejected") return expect.unreachable(`${one.status}, ${other.status}`);
    expect(lost.reason).toMatchObject({ code: "already_running", exit: 7, details: { pid: won.value.pid } });
    expect(readPid(options.stateDir)).toBe(won.value.pid);
    await stopDaemon(options);
    const both = await Promise.all([startDaemon({ ...options, ensure: true }), startDaemon({ ...options, ensure: true })]);
    expect(new Set(both.map(({ pid, status }) => `${pid} ${status}`)).size).toBe(1);
    expect(both.map((result) => result.already_running).sort()).toEqual([false, true]);
  });

  it("waits for one that has closed its port and is about to end; meanwhile it counts neither as running nor as gone", async () => {
    const server = await testServer();
    const options = place(testHome(), server);
    const ending = tryFileLock(join(options.stateDir, "daemon.lock"));
    expect(await daemonStatus(options)).toEqual({ status: "stopped", silent_pid: process.pid });
    expect(await stopDaemon({ ...options, waitMs: 1 })).toMatchObject({ status: "finishing", pid: process.pid });
    expect(await failure(startDaemon({ ...options, waitMs: 1 }))).toMatchObject({ code: "still_ending", exit: 7, message: expect.stringContaining(`pid ${process.pid}`) });
    const started = startDaemon(options);
    ending?.release();
    expect(await started).toMatchObject({ status: "running", already_running: false });
  });

  it("spawns nothing without a token", async () => {
    const options = place(testHome(), { url: "http://127.0.0.1:1", token: "" });
    expect(await failure(startDaemon(options))).toMatchObject({ code: "not_signed_in", exit: 3, suggestions: ["Run multica login."] });
    expect(existsSync(join(options.stateDir, "daemon.err.log"))).toBe(false);
  });

  it("says that the server cannot be reached, with exit 6, and shows only this attempt's lines", async () => {
    const home = testHome();
    const url = `http://127.0.0.1:${await freePort()}`;
    const options = place(home, { url, token: "mul_x" });
    writeFileSync(join(options.stateDir, "daemon.log"), "old line returned 401\n");
    expect(await failure(startDaemon(options))).toMatchObject({ code: "server_unreachable", exit: 6, message: expect.stringContaining(url) });
    expect(existsSync(join(options.stateDir, "daemon.json"))).toBe(false);
  });

  it("says that the token is rejected, with exit 3", async () => {
    const server = await testServer();
    const options = place(testHome(), { url: server.url, token: "mul_wrong" }, "staging");
    expect(await failure(startDaemon(options))).toMatchObject({ code: "not_signed_in", exit: 3, suggestions: ["Run multica --profile staging login."] });
  });

  it("names a log that cannot be written, once, and leaves no process", async () => {
    const server = await testServer();
    const options = place(testHome(), server);
    symlinkSync("/dev/full", join(options.stateDir, "daemon.log"));
    const error = await failure(startDaemon(options));
    expect(error).toMatchObject({ exit: 1 });
    expect(error.message.match(/cannot write the log/g)).toHaveLength(1);
    expect(error.message).toContain(join(options.stateDir, "daemon.log"));
    expect(await daemonStatus(options)).toEqual({ status: "stopped" });
  });

  it("names the address when a foreign program has the port", async () => {
    const server = await testServer();
    const other = createServer((_request, response) => response.end("hello"));
    const port = await new Promise<number>((resolve) => other.listen(0, "127.0.0.1", () => resolve((other.address() as { port: number }).port)));
    onTestFinished(() => void other.close());
    const options = place(testHome(), server, "", { port, flags: ["--port", String(port)] });
    expect(await failure(startDaemon(options))).toMatchObject({ exit: 7, message: expect.stringContaining(`127.0.0.1:${port}`) });
  });

  it("runs two profiles at once, each found by its own commands only", async () => {
    const server = await testServer();
    const home = testHome();
    const [one, two] = [place(home, server, "one"), place(home, server, "two")];
    const [a, b] = await Promise.all([startDaemon(one), startDaemon(two)]);
    expect(a.port).not.toBe(b.port);
    await stopDaemon({ ...one, clock: systemClock });
    expect(await daemonStatus(one)).toEqual({ status: "stopped" });
    expect(await daemonStatus(two)).toMatchObject({ status: "running", pid: b.pid, profile: "two" });
  });
});

describe("identity", () => {
  it("does not touch a daemon of another profile or another home on the same port", async () => {
    const server = await testServer();
    const home = testHome();
    const port = await freePort();
    const ab = place(home, server, "ab", { port, flags: ["--port", String(port), "--profile", "ab"] });
    const { pid } = await startDaemon(ab);
    const ba = place(home, server, "ba", { port });
    expect(await findDaemon(ba)).toMatchObject({ kind: "foreign", profile: "ab" });
    expect(await failure(stopDaemon({ ...ba, clock: systemClock }))).toMatchObject({ code: "foreign_daemon", exit: 7 });
    expect(await failure(startDaemon(ba))).toMatchObject({ code: "foreign_daemon", exit: 7 });
    expect(await daemonStatus(ba)).toEqual({ status: "stopped", port_conflict: { port, profile: "ab" } });
    const elsewhere = place(testHome(), server, "ab", { port });
    expect(await failure(stopDaemon({ ...elsewhere, clock: systemClock }))).toMatchObject({ message: expect.stringContaining("another state directory") });
    expect(processIdentity(pid)).not.toBeNull();
  });

  it.each([null, 7])("refuses a health answer whose profile is %s", async (profile) => {
    const fake = createServer((_request, response) => response.end(JSON.stringify({ status: "running", pid: process.pid, profile })));
    const port = await new Promise<number>((resolve) => fake.listen(0, "127.0.0.1", () => resolve((fake.address() as { port: number }).port)));
    onTestFinished(() => void fake.close());
    const target = { stateDir: testHome().home, profile: "", port };
    expect(await daemonStatus(target)).toEqual({ status: "stopped", port_conflict: { port, unreadable_identity: true } });
    expect(await failure(stopDaemon({ ...target, clock: systemClock }))).toMatchObject({ exit: 7, message: expect.stringContaining("unreadable identity") });
  });

  it("accepts an older daemon that does not name its profile", async () => {
    const fake = createServer((_request, response) => response.end(JSON.stringify({ status: "starting", pid: 4711 })));
    const port = await new Promise<number>((resolve) => fake.listen(0, "127.0.0.1", () => resolve((fake.address() as { port: number }).port)));
    onTestFinished(() => void fake.close());
    expect(await findDaemon({ stateDir: testHome().home, profile: "x", port })).toMatchObject({ kind: "alive", health: { status: "starting" } });
  });
});

describe("stopping and restarting", () => {
  it("signals a daemon that it may not ask, with a warning", async () => {
    const server = await testServer();
    const options = place(testHome(), server);
    const { pid } = await startDaemon(options);
    writeFileSync(join(options.stateDir, "daemon.token"), "not the token\n");
    const result = await stopDaemon({ ...options, clock: systemClock });
    expect(result).toMatchObject({ status: "stopped", pid });
    expect(result.warnings).toHaveLength(1);
    expect(processIdentity(pid)).toBeNull();
  });

  it("kills one that neither listens nor answers any more", async () => {
    const stateDir = testHome().home;
    const script = join(stateDir, "deaf.mjs");
    writeFileSync(
      script,
      `import { createServer } from "node:http";
       const server = createServer((request, response) => {
         if (request.url === "/health") return response.end(JSON.stringify({ status: "running", pid: process.pid, profile: "" }));
         response.writeHead(500).end();
       }).listen(0, "127.0.0.1", () => process.stdout.write(String(server.address().port)));
       process.on("SIGTERM", () => { server.close(); server.closeAllConnections(); });
       setInterval(() => undefined, 1000);`,
    );
    const deaf = await spawnGroup({ command: process.execPath, args: [script], cwd: stateDir, env: {} });
    onTestFinished(() => void sendSignal(deaf.pid, "SIGKILL"));
    const port = await new Promise<number>((resolve) => deaf.stdout.once("data", (data: Buffer) => resolve(Number(data))));
    const result = await stopDaemon({ stateDir, profile: "", port, clock: systemClock, killAfterMs: 300 });
    expect(result).toMatchObject({ status: "stopped", pid: deaf.pid, warnings: [expect.stringContaining("operator token cannot be read")] });
    expect((await deaf.exited).signal).toBe("SIGKILL");
  });

  it("starts another process with the same runtimes, on the same port, whoever has the profile's own", async () => {
    const server = await testServer();
    const options = place(testHome(), server);
    const before = await startDaemon(options);
    const ids = (await server.api.runtimes()).map(({ id }) => id);
    const others = createServer((_request, response) => response.end(JSON.stringify({ status: "running", pid: process.pid, profile: "", state_root: "/of/another/home" })));
    await new Promise<void>((resolve) => others.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void others.close());
    const after = await restartDaemon({ ...options, port: (others.address() as AddressInfo).port, flags: [], checkToken: () => server.api.me() });
    expect(after.pid).not.toBe(before.pid);
    expect(after.port).toBe(before.port);
    expect(processIdentity(before.pid)).toBeNull();
    expect((await server.api.runtimes()).map(({ id, status }) => [id, status])).toEqual(ids.map((id) => [id, "online"]));
  });

  it("leaves the running daemon alone when the token is rejected, the server is away, or there is no token", async () => {
    const server = await testServer();
    const options = place(testHome(), server);
    const { pid } = await startDaemon(options);
    const refused = new RequestError("GET", "/api/me", 401, "invalid token");
    expect(await failure(restartDaemon({ ...options, checkToken: () => Promise.reject(refused) }))).toMatchObject({
      code: "restart_refused",
      exit: 3,
      message: "the daemon keeps running: the server does not accept the stored token",
      suggestions: [expect.stringContaining("multica login")],
    });
    const away = networkError("GET", "/api/me", "http://127.0.0.1:1", Object.assign(new Error("no"), { code: "ECONNREFUSED" }));
    expect(await failure(restartDaemon({ ...options, checkToken: () => Promise.reject(away) }))).toMatchObject({ code: "restart_refused", exit: 6 });
    expect(await failure(restartDaemon({ ...options, token: "", checkToken: () => server.api.me() }))).toMatchObject({ code: "restart_refused", exit: 3 });
    expect(await daemonStatus(options)).toMatchObject({ status: "running", pid });
  });
});

describe("after a crash", () => {
  it("ends the agents of the killed daemon before it claims, marks their tasks lost, and the server's retry runs", async () => {
    const server = await testServer();
    const home = testHome();
    const held = place({ ...home, env: { ...home.env, TEST_HOLD_TASKS: "1" } }, server);
    const first = await startDaemon(held);
    const task = await runningTask(server);
    onTestFinished(async () => {
      await terminateTree({ marker: { name: "MULTICA_TASK_ID", value: task.id }, graceMs: 0, clock: systemClock });
    });
    const [agent] = await waitFor("the agent's process", () => {
      const found = findByEnv("MULTICA_TASK_ID", task.id);
      return found.length > 0 && found;
    });
    sendSignal(first.pid, "SIGKILL");
    await waitFor("the daemon to be gone", () => processIdentity(first.pid) === null);
    expect(processIdentity(agent?.pid ?? 0)).not.toBeNull();
    expect(await daemonStatus(held)).toEqual({ status: "stopped", killed_pid: first.pid });

    const second = await startDaemon(held);
    expect(second.pid).not.toBe(first.pid);
    expect(processIdentity(agent?.pid ?? 0)).toBeNull();
    const state = openStateReader({ stateDir: held.stateDir });
    onTestFinished(() => state?.close());
    expect(state?.getTask(task.id)?.phase).toBe("lost");
    expect(state?.listRuns().map(({ stop_reason: reason }) => reason)).toEqual([null, "crash"]);
    const retry = await waitFor("the retry to be claimed", () => state?.listTasks().find((row) => row.task_id !== task.id));
    onTestFinished(async () => {
      await terminateTree({ marker: { name: "MULTICA_TASK_ID", value: retry.task_id }, graceMs: 0, clock: systemClock });
    });
    expect(retry.issue_id).toBe(task.issue_id);
  });

  it("works without the state file when told to", async () => {
    const server = await testServer();
    const options = place(testHome(), server);
    await startDaemon({ ...options, flags: [...options.flags, "--no-state"] });
    expect(existsSync(join(options.stateDir, "state_1.sqlite"))).toBe(false);
  });
});

async function runningTask(server: TestServer): Promise<{ id: string; issue_id?: string | null | undefined }> {
  const runtime = (await server.api.runtimes())[0];
  const agent = await server.api.createAgent({ name: "Ada", runtime_id: runtime?.id ?? "" });
  const issue = await server.api.createIssue({ title: "x", assignee_type: "agent", assignee_id: agent.id });
  return waitFor("a claimed task", async () => (await server.api.taskRuns(issue.id)).find((task) => task.status === "dispatched"));
}


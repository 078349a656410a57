import { mkdirSync, readFileSync, statSync, symlinkSync } from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { WebSocket } from "ws";
import type { MulticaError } from "../../../src/lib/core/index.ts";
import { processEnv, processIdentity, sendSignal, systemClock } from "../../../src/lib/platform/index.ts";
import { silentLogger } from "../../../src/lib/platform/logger.ts";
import {
  type LaunchOptions,
  type ServerInfo,
  ensureServer,
  hostWarning,
  mintToken,
  serverStatus,
  startInBackground,
  startServer,
  stopServer,
} from "../../../src/lib/server/index.ts";
import { tempDir } from "../../support/temp.ts";
import { waitFor } from "../../support/wait.ts";

const clock = systemClock;
const main = join(import.meta.dirname, "..", "..", "support", "server-main.ts");

function options(dataDir: string, port = 0): LaunchOptions {
  onTestFinished(async () => {
    await stopServer({ dataDir, clock });
  });
  const command = { command: process.execPath, args: [main, dataDir, "127.0.0.1", String(port)] };
  return { dataDir, host: "127.0.0.1", port, clock, env: processEnv(), command };
}

async function failure(work: Promise<unknown>): Promise<MulticaError> {
  return work.then(
    () => {
      throw new Error("expected a failure");
    },
    (error: unknown) => error as MulticaError,
  );
}

async function api(info: ServerInfo, token: string, method: string, path: string, body?: object): Promise<{ status: number; body: unknown }> {
  const response = await fetch(info.url + path, {
    method,
    headers: { authorization: `Bearer ${token}`, "x-workspace-slug": "local" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: (await response.json()) as unknown };
}

describe("the server in the background (embedded-server.md)", () => {
  it("starts once, tells where it is, and ends without a trace", async () => {
    const dataDir = join(tempDir(), "server");
    const launch = options(dataDir);
    expect((await serverStatus({ dataDir, clock })).state).toBe("stopped");
    const first = await ensureServer(launch);
    expect(first.started).toBe(true);
    expect(await ensureServer(launch)).toEqual({ url: first.url, started: false });
    const status = await serverStatus({ dataDir, clock });
    const info = JSON.parse(readFileSync(join(dataDir, "server.json"), "utf8")) as ServerInfo;
    expect(status).toMatchObject({ state: "running", pid: info.pid, port: info.port, url: first.url });
    expect(statSync(join(dataDir, "server.json")).mode & 0o777).toBe(0o600);
    expect(await stopServer({ dataDir, clock })).toEqual({ stopped: true, killed: false, pid: info.pid });
    expect(processIdentity(info.pid)).toBeNull();
    expect((await serverStatus({ dataDir, clock })).state).toBe("stopped");
    expect(await stopServer({ dataDir, clock })).toEqual({ stopped: false, killed: false });
    const log = readFileSync(join(dataDir, "server.log"), "utf8").trim().split("\n").map((line) => JSON.parse(line) as { msg: string });
    expect(log.map((line) => line.msg)).toEqual(expect.arrayContaining(["server started", "server stopping", "server stopped"]));
  });

  it("refuses to start twice on one directory", async () => {
    const dataDir = join(tempDir(), "server");
    const launch = options(dataDir);
    await startInBackground(launch);
    const again = await failure(startInBackground(launch));
    expect([again.code, again.exit]).toEqual(["server_running", 7]);
    const direct = await failure(startServer({ dataDir, host: "127.0.0.1", port: 0, clock, logger: silentLogger }));
    expect([direct.code, direct.exit]).toEqual(["server_running", 7]);
  });

  it("is started once when two ask at the same time", async () => {
    const dataDir = join(tempDir(), "server");
    const launch = options(dataDir);
    const [one, two] = await Promise.all([ensureServer(launch), ensureServer(launch)]);
    expect([one.url, [one.started, two.started].filter(Boolean).length]).toEqual([two.url, 1]);
  });

  it("says in one line that the port is taken", async () => {
    const blocker = createServer();
    const port = await new Promise<number>((resolve) => {
      blocker.listen(0, "127.0.0.1", () => {
        const address = blocker.address();
        resolve(address !== null && typeof address === "object" ? address.port : 0);
      });
    });
    onTestFinished(() => void blocker.close());
    const dataDir = join(tempDir(), "server");
    const error = await failure(startInBackground(options(dataDir, port)));
    expect([error.exit, error.message]).toEqual([7, `the server did not start: port ${port} on 127.0.0.1 is in use by another program`]);
    expect((await serverStatus({ dataDir, clock })).state).toBe("stopped");
  });

  it("does not start with a log that cannot be written", async () => {
    const dataDir = join(tempDir(), "server");
    mkdirSync(dataDir);
    symlinkSync("/dev/full", join(dataDir, "server.log"));
    const error = await failure(startInBackground(options(dataDir)));
    expect([error.code, error.exit]).toEqual(["log_unwritable", 1]);
    expect(error.message).toContain(join(dataDir, "server.log"));
  });

  it("warns of an address that others can reach", () => {
    for (const host of ["127.0.0.1", "localhost", "::1"]) expect(hostWarning(host)).toBeNull();
    expect(hostWarning("0.0.0.0")).toContain("0.0.0.0");
  });
});

describe("what the server has acknowledged", () => {
  it("survives kill -9 the moment it was acknowledged", async () => {
    const dataDir = join(tempDir(), "server");
    const launch = options(dataDir);
    const { token } = await mintToken({ dataDir, name: "before the first start", clock });
    let created = 0;
    for (let round = 0; round < 2; round += 1) {
      const info = await startInBackground(launch);
      for (let index = 0; index < 5; index += 1) {
        created += 1;
        expect((await api(info, token, "POST", "/api/issues", { title: `issue ${created}` })).status).toBe(201);
      }
      sendSignal(info.pid, "SIGKILL");
      await waitFor("the server to be gone", () => processIdentity(info.pid) === null);
      expect((await serverStatus({ dataDir, clock })).state).toBe("stopped");
    }
    const info = await startInBackground(launch);
    const list = (await api(info, token, "GET", "/api/issues")).body as { total: number; issues: { identifier: string }[] };
    expect([list.total, list.issues.at(-1)?.identifier]).toEqual([10, "LOCA-10"]);
  });

  it("is reached with a token that was minted while it runs", async () => {
    const dataDir = join(tempDir(), "server");
    const info = await startInBackground(options(dataDir));
    const minted = await mintToken({ dataDir, name: "later", expiresMs: 60_000, clock });
    expect(minted.token).toMatch(/^mul_[0-9a-f]{40}$/);
    expect((await api(info, minted.token, "GET", "/api/me")).status).toBe(200);
  });

  it("waits for an open request no longer than the shutdown allows", async () => {
    const dataDir = join(tempDir(), "server");
    const running = await startServer({ dataDir, host: "127.0.0.1", port: 0, clock, logger: silentLogger, thresholds: { shutdownMs: 100 } });
    const socket = connect(running.port, "127.0.0.1");
    onTestFinished(() => void socket.destroy());
    const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
    await new Promise<void>((resolve) => socket.once("connect", resolve));
    socket.on("error", () => undefined);
    socket.write("POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nhalf");
    expect((await fetch(`${running.url}/health`)).status).toBe(200);
    await running.stop();
    await closed;
    await expect(fetch(`${running.url}/health`)).rejects.toThrow();
  });

  it("closes daemons' sockets with 1001 when it is told to end", async () => {
    const dataDir = join(tempDir(), "server");
    const info = await startInBackground(options(dataDir));
    const { token } = await mintToken({ dataDir, name: "daemon", clock });
    const socket = new WebSocket(`${info.url.replace("http", "ws")}/api/daemon/ws`, { headers: { authorization: `Bearer ${token}` } });
    await new Promise<void>((resolve, reject) => {
      socket.once("open", resolve);
      socket.once("error", reject);
    });
    const closed = new Promise<number>((resolve) => socket.once("close", resolve));
    expect((await stopServer({ dataDir, clock })).killed).toBe(false);
    expect(await closed).toBe(1001);
  });
});

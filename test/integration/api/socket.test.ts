import { type IncomingMessage, createServer } from "node:http";
import { describe, expect, it, onTestFinished } from "vitest";
import { type WebSocket, WebSocketServer } from "ws";
import { type DaemonSocket, connectDaemonSocket } from "../../../src/lib/api/socket.ts";
import { HeldClock, systemClock } from "../../../src/lib/platform/index.ts";
import { FRAME, type Frame } from "../../../src/lib/wire/index.ts";
import { waitFor } from "../../support/wait.ts";

interface Peer {
  readonly url: string;
  readonly requests: IncomingMessage[];
  readonly sockets: WebSocket[];
}

async function peer(status?: number): Promise<Peer> {
  const requests: IncomingMessage[] = [];
  const sockets: WebSocket[] = [];
  const server = createServer();
  const ws = new WebSocketServer({ noServer: true });
  server.on("upgrade", (request, stream, head) => {
    requests.push(request);
    if (status !== undefined) stream.end(`HTTP/1.1 ${status} No\r\n\r\n`);
    else ws.handleUpgrade(request, stream, head, (socket) => sockets.push(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    for (const socket of ws.clients) socket.terminate();
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  return { url: `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}/base`, requests, sockets };
}

interface Facts {
  opened: number;
  readonly frames: Frame[];
  readonly closes: { opened: boolean; error?: Error }[];
}

function connect(url: string, clock = new HeldClock()): { socket: DaemonSocket; facts: Facts } {
  const facts: Facts = { opened: 0, frames: [], closes: [] };
  const socket = connectDaemonSocket({
    http: { serverUrl: url, token: "mul_t", platform: "daemon", clientVersion: "0.4.24", os: "linux", capabilities: ["x-v1"] },
    runtimeIds: ["b", "a"],
    clock,
    onOpen: () => (facts.opened += 1),
    onFrame: (frame) => facts.frames.push(frame),
    onClose: (close) => facts.closes.push(close),
  });
  onTestFinished(() => socket.close());
  return { socket, facts };
}

describe("the daemon's socket", () => {
  it("names the sorted runtimes and its credentials, and carries frames both ways", async () => {
    const server = await peer();
    const { socket, facts } = connect(server.url);
    await waitFor("the connection", () => facts.opened === 1 && server.sockets.length === 1);
    expect(server.requests[0]?.url).toBe("/base/api/daemon/ws?runtime_ids=a%2Cb");
    expect(server.requests[0]?.headers).toMatchObject({ authorization: "Bearer mul_t", "x-client-capabilities": "x-v1" });
    const received: string[] = [];
    server.sockets[0]?.on("message", (data) => received.push(String(data)));
    expect(socket.post({ type: FRAME.heartbeat, payload: { runtime_id: "a" } })).not.toBeNull();
    server.sockets[0]?.send(JSON.stringify({ type: FRAME.taskAvailable, payload: { runtime_id: "a", extra: 1 } }));
    await waitFor("both frames", () => received.length === 1 && facts.frames.length === 1);
    expect(JSON.parse(received[0] ?? "")).toEqual({ type: "daemon:heartbeat", payload: { runtime_id: "a" } });
    expect(facts.frames[0]).toMatchObject({ type: "daemon:task_available", payload: { runtime_id: "a", extra: 1 } });
  });

  it("ignores what is no frame and goes on", async () => {
    const server = await peer();
    const { facts } = connect(server.url);
    await waitFor("the connection", () => server.sockets.length === 1 && facts.opened === 1);
    for (const text of ["not json", "[]", "{}", '{"type":1}']) server.sockets[0]?.send(text);
    server.sockets[0]?.send(Buffer.from([1, 2, 3]));
    server.sockets[0]?.send('{"type":"daemon:unknown"}');
    await waitFor("the last frame", () => facts.frames.length === 1);
    expect(facts.frames[0]?.type).toBe("daemon:unknown");
    expect(facts.closes).toEqual([]);
  });

  it("closes a half-open connection after 60 s of silence, but not one that is pinged", async () => {
    const server = await peer();
    const clock = new HeldClock();
    const { facts } = connect(server.url, clock);
    await waitFor("the connection", () => server.sockets.length === 1 && facts.opened === 1);
    for (let round = 0; round < 3; round += 1) {
      await clock.advance(54_000);
      const ponged = new Promise<void>((resolve) => server.sockets[0]?.once("pong", () => resolve()));
      server.sockets[0]?.ping();
      await ponged;
    }
    expect(facts.closes).toEqual([]);
    await clock.advance(60_001);
    await waitFor("the end", () => facts.closes.length === 1);
    expect(facts.closes[0]?.opened).toBe(true);
  });

  it("reports a refused handshake once, with the reason, and a send on it fails", async () => {
    const server = await peer(401);
    const { socket, facts } = connect(server.url);
    await waitFor("the end", () => facts.closes.length === 1);
    expect(facts).toMatchObject({ opened: 0, closes: [{ opened: false }] });
    expect(facts.closes[0]?.error?.message).toContain("401");
    expect(socket.post({ type: "x" })).toBeNull();
  });

  it("ends when told to, also while it is still connecting, and leaves no timer", async () => {
    const server = await peer();
    const clock = new HeldClock();
    const early = connect(server.url, clock);
    early.socket.close();
    await waitFor("the early end", () => early.facts.closes.length === 1);
    const { socket, facts } = connect(server.url, clock);
    await waitFor("the connection", () => facts.opened === 1);
    socket.close();
    await waitFor("the end", () => facts.closes.length === 1);
    expect(clock.pending).toBe(0);
  });
});

describe("a proxy in the environment", () => {
  /** Notes what it is asked for and refuses everything. */
  async function proxy(): Promise<{ readonly url: string; readonly asked: string[] }> {
    const asked: string[] = [];
    const server = createServer((request, response) => {
      asked.push(`${request.method} ${request.url}`);
      response.writeHead(502).end();
    });
    server.on("connect", (request, socket) => {
      asked.push(`CONNECT ${request.url}`);
      socket.end("HTTP/1.1 502 Bad Gateway\r\n\r\n");
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    const address = server.address();
    return { asked, url: `http://127.0.0.1:${address !== null && typeof address === "object" ? address.port : 0}` };
  }

  it("is asked for the connection, unless the server is among the exceptions [S-13]", async () => {
    const { url, asked } = await proxy();
    const dial = async (env: Record<string, string>): Promise<void> => {
      const closed = Promise.withResolvers<void>();
      connectDaemonSocket({
        http: { serverUrl: "https://server.invalid", token: "mul_t", platform: "daemon", clientVersion: "0.4.24", os: "linux" },
        runtimeIds: ["a"],
        clock: systemClock,
        env,
        onOpen: () => undefined,
        onFrame: () => undefined,
        onClose: () => closed.resolve(),
      });
      await closed.promise;
    };
    await dial({ HTTPS_PROXY: url });
    expect(asked).toEqual(["CONNECT server.invalid:443"]);
    await dial({ HTTPS_PROXY: url, NO_PROXY: "server.invalid" });
    await dial({});
    expect(asked).toHaveLength(1);
  });
});

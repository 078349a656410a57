import { connect, type Socket } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { startServer } from "../../../src/lib/server/index.ts";
import { systemClock } from "../../../src/lib/platform/index.ts";
import { silentLogger } from "../../../src/lib/platform/logger.ts";
import { tempDir } from "../../support/temp.ts";

type Running = Awaited<ReturnType<typeof startServer>>;

async function running(): Promise<Running> {
  const server = await startServer({ dataDir: tempDir(), host: "127.0.0.1", port: 0, clock: systemClock, logger: silentLogger });
  onTestFinished(() => server.stop());
  return server;
}

async function dial(server: Running): Promise<{ socket: Socket; ended: Promise<string> }> {
  const socket = connect(server.port, "127.0.0.1");
  let text = "";
  socket.setEncoding("utf8").on("data", (part: string) => (text += part)).on("error", () => undefined);
  onTestFinished(() => void socket.destroy());
  const ended = new Promise<string>((resolve) => socket.once("close", () => resolve(text)));
  await new Promise<void>((resolve) => socket.once("connect", resolve));
  return { socket, ended };
}

describe("stopping the server", () => {
  it("does not wait for connections without a request, used before or not", async () => {
    const server = await running();
    const spare = await dial(server);
    const half = await dial(server);
    half.socket.write("GET /health HTTP/1.1\r\n");
    await (await fetch(`${server.url}/health`)).text();
    const start = systemClock.monotonic();
    await server.stop();
    expect(systemClock.monotonic() - start).toBeLessThan(2000);
    expect(await Promise.all([spare.ended, half.ended])).toEqual(["", ""]);
  });

  it("answers the request that is on its way and closes the connection behind it", async () => {
    const server = await running();
    const { socket, ended } = await dial(server);
    socket.write("POST /auth/send-code HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n");
    // The answer to a second connection proves that the head of the first one was read.
    await (await fetch(`${server.url}/health`)).text();
    const stopped = server.stop();
    socket.write("{}");
    expect(await ended).toMatch(/^HTTP\/1\.1 4\d\d/);
    await stopped;
  });
});

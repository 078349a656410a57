import { statSync } from "node:fs";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { WebSocket } from "ws";
import { type Clock, HeldClock } from "../../src/lib/platform/index.ts";
import { silentLogger } from "../../src/lib/platform/logger.ts";
import { mintToken, startServer } from "../../src/lib/server/index.ts";
import { configFor, testDaemon, testHome } from "./daemon.ts";
import { tempDir } from "./temp.ts";
import { waitFor } from "./wait.ts";

export interface IdleFigures {
  readonly hours: number;
  /** HTTP requests by route, without ids. */
  readonly requests: Readonly<Record<string, number>>;
  readonly requestsInAll: number;
  /** Frames over the socket by type, both ways. */
  readonly frames: Readonly<Record<string, number>>;
  /** Timers the daemon and the server have set, and the most that waited at once. */
  readonly timersSet: number;
  readonly timersAtOnce: number;
  readonly logBytes: number;
}

/** Held time that counts what is asked of it. */
class CountingClock implements Clock {
  readonly held = new HeldClock();
  set = 0;

  now(): number {
    return this.held.now();
  }

  monotonic(): number {
    return this.held.monotonic();
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    this.set += 1;
    return this.held.sleep(ms, signal);
  }

  setTimer(ms: number, fn: () => void): () => void {
    this.set += 1;
    return this.held.setTimer(ms, fn);
  }

  every(ms: number, fn: () => void): () => void {
    this.set += 1;
    return this.held.every(ms, () => {
      this.set += 1;
      fn();
    });
  }
}

/** Counts what goes through `fetch`; `inFlight` says whether somebody still waits. */
function watchFetch(): { readonly requests: Record<string, number>; readonly inFlight: () => number } {
  const original = globalThis.fetch;
  const requests: Record<string, number> = {};
  let inFlight = 0;
  globalThis.fetch = async (input, init) => {
    const request = input instanceof Request ? input : new Request(input, init);
    const route = `${request.method} ${new URL(request.url).pathname.replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, "<id>")}`;
    requests[route] = (requests[route] ?? 0) + 1;
    inFlight += 1;
    try {
      return await original(input, init);
    } finally {
      inFlight -= 1;
    }
  };
  onTestFinished(() => void (globalThis.fetch = original));
  return { requests, inFlight: () => inFlight };
}

/** Counts the frames of every socket in this process. */
function watchFrames(): Record<string, number> {
  const frames: Record<string, number> = {};
  const { send } = WebSocket.prototype;
  WebSocket.prototype.send = function (this: WebSocket, data: unknown, ...rest: unknown[]): void {
    const type = /"type":"([^"]+)"/.exec(String(data))?.[1] ?? "?";
    frames[type] = (frames[type] ?? 0) + 1;
    Reflect.apply(send, this, [data, ...rest]);
  };
  onTestFinished(() => void (WebSocket.prototype.send = send));
  return frames;
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const moment = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 1));

/** A daemon with one agent and its state file, connected to an embedded server, and nothing to do for that long. */
export async function idleDaemon(hours: number): Promise<IdleFigures> {
  const clock = new CountingClock();
  const dataDir = join(tempDir(), "server");
  const running = await startServer({ dataDir, host: "127.0.0.1", port: 0, clock, logger: silentLogger });
  onTestFinished(() => running.stop());
  const { token } = await mintToken({ dataDir, name: "test", clock });
  const home = testHome();
  const config = configFor(home, { url: running.url, token });
  const fetches = watchFetch();
  const frames = watchFrames();
  const daemon = await testDaemon(home, config, { clock, noState: false });
  await waitFor("the socket", async () => ((await daemon.health()).link?.connected === true ? true : undefined));
  for (const counts of [fetches.requests, frames]) for (const key of Object.keys(counts)) delete counts[key];
  const log = join(config.stateDir, "daemon.log");
  const before = { log: statSync(log).size, set: clock.set };
  let most = 0;
  for (let second = 1; second <= hours * 3600; second += 1) {
    await clock.held.advance(1000);
    most = Math.max(most, clock.held.pending);
    // Answers take no held time: the next second begins when they are there.
    do await turn();
    while (fetches.inFlight() > 0);
    if (second % 5 === 0) await moment();
  }
  const requests = Object.fromEntries(Object.entries(fetches.requests).sort());
  const health = await daemon.health();
  if (health.status !== "running" || health.link?.connected !== true) throw new Error(`the daemon is not well after ${hours} h: ${JSON.stringify(health)}`);
  const figures = {
    hours,
    requests,
    frames: { ...frames },
    requestsInAll: Object.values(requests).reduce((sum, count) => sum + count, 0),
    timersSet: clock.set - before.set,
    timersAtOnce: most,
    logBytes: statSync(log).size - before.log,
  };
  const stopped = daemon.stop();
  let ended = false;
  void stopped.finally(() => (ended = true));
  while (!ended) {
    await clock.held.advance(100);
    await moment();
  }
  await stopped;
  return figures;
}

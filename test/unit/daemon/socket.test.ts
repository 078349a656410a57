import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { LIMITS } from "../../../src/lib/daemon/limits.ts";
import { type SocketHandlers, runSocket } from "../../../src/lib/daemon/loops/socket.ts";
import { RuntimeRegistry } from "../../../src/lib/daemon/runtimes.ts";
import { HeldClock } from "../../../src/lib/platform/index.ts";
import { silentLogger } from "../../../src/lib/platform/logger.ts";

interface Dial {
  readonly ids: readonly string[];
  readonly at: number;
  readonly handlers: SocketHandlers;
  closed: boolean;
}

let clock: HeldClock;
let root: AbortController;
let runtimes: RuntimeRegistry;
let dials: Dial[];
let events: string[];
let ended: Promise<void>;

const setRuntimes = (...ids: string[]): void => {
  runtimes.replace("w", ids.map((id) => ({ id, name: id, provider: id, profileId: null })));
  runtimes.changes.notify();
};
const last = (): Dial => dials.at(-1) ?? expect.unreachable("no dial");
/** The delays between the end of one connection and the next dial. */
const refuse = async (times: number): Promise<number[]> => {
  const delays: number[] = [];
  for (let index = 0; index < times; index += 1) {
    const from = clock.monotonic();
    const before = dials.length;
    last().handlers.onClose({ reason: "refused" });
    while (dials.length === before) await clock.advance(500);
    delays.push(clock.monotonic() - from);
  }
  return delays;
};

beforeEach(async () => {
  clock = new HeldClock(0);
  root = new AbortController();
  runtimes = new RuntimeRegistry();
  runtimes.track("w", "W");
  setRuntimes("b", "a");
  dials = [];
  events = [];
  ended = runSocket({
    clock,
    limits: LIMITS,
    logger: silentLogger,
    runtimes,
    rootSignal: root.signal,
    random: () => 0.5,
    dial: (ids, handlers) => {
      const dial: Dial = { ids, handlers, at: clock.monotonic(), closed: false };
      dials.push(dial);
      return {
        post: () => null,
        close: () => {
          if (dial.closed) return;
          dial.closed = true;
          handlers.onClose({ reason: "closed by us" });
        },
      };
    },
    onConnected: () => {
      events.push("connected");
      return () => void events.push("sender stopped");
    },
    onFrame: ({ type }) => void events.push(type),
    onDisconnected: () => void events.push("disconnected"),
  });
  await clock.advance(0);
});

afterEach(async () => {
  root.abort();
  await ended;
  expect(clock.pending).toBe(0);
});

describe("the socket loop", () => {
  it("connects with the sorted ids and tells about connect, frames and loss in order", async () => {
    expect(last().ids).toEqual(["a", "b"]);
    last().handlers.onOpen();
    last().handlers.onFrame({ type: "x" });
    last().handlers.onClose({ reason: "lost" });
    await clock.advance(0);
    expect(events).toEqual(["connected", "x", "sender stopped", "disconnected"]);
  });

  it("waits 1 s doubling to 30 s between refused handshakes", async () => {
    expect(await refuse(7)).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
  });

  it("goes on doubling after short connections and starts over after one that lasted", async () => {
    const lastFor = async (ms: number): Promise<number> => {
      last().handlers.onOpen();
      await clock.advance(ms);
      return (await refuse(1))[0] ?? 0;
    };
    expect([await lastFor(3000), await lastFor(3000), await lastFor(12_000)]).toEqual([1000, 2000, 1000]);
  });

  it("reconnects at once with the new list when the runtimes change, and not when they do not", async () => {
    last().handlers.onOpen();
    runtimes.changes.notify();
    await clock.advance(0);
    expect(dials).toHaveLength(1);
    setRuntimes("a", "b", "c");
    await clock.advance(0);
    expect(dials[0]?.closed).toBe(true);
    expect(last()).toMatchObject({ ids: ["a", "b", "c"], at: 0 });
    await refuse(3);
    setRuntimes("c");
    last().handlers.onClose({ reason: "refused" });
    await clock.advance(0);
    expect(last().ids).toEqual(["c"]);
    expect(await refuse(1)).toEqual([1000]);
  });

  it("asks an older server without runtimes once, then waits for one", async () => {
    setRuntimes();
    await clock.advance(0);
    expect(last().ids).toEqual([]);
    last().handlers.onClose({ reason: "refused", status: 400 });
    await clock.advance(120_000);
    const count = dials.length;
    setRuntimes("a");
    await clock.advance(0);
    expect(dials).toHaveLength(count + 1);
    expect(last().ids).toEqual(["a"]);
  });

  it("closes its connection when the daemon stops", async () => {
    last().handlers.onOpen();
    root.abort();
    await ended;
    expect(last().closed).toBe(true);
    expect(events).toEqual(["connected", "sender stopped", "disconnected"]);
  });
});

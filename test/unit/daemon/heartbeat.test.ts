import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { AckStamps } from "../../../src/lib/daemon/ack-stamps.ts";
import { type BeatAnswer, runHeartbeats } from "../../../src/lib/daemon/loops/heartbeat.ts";
import { RuntimeRegistry } from "../../../src/lib/daemon/runtimes.ts";
import { HeldClock } from "../../../src/lib/platform/index.ts";
import { type LogFields, type Logger, silentLogger } from "../../../src/lib/platform/logger.ts";

const INTERVAL = 15_000;

let clock: HeldClock;
let root: AbortController;
let runtimes: RuntimeRegistry;
let stamps: AckStamps;
let beats: { id: string; at: number }[];
let gone: string[];
let warnings: LogFields[];
let renewals: number[];
let wanted: string[];
let answer: (id: string) => Promise<BeatAnswer>;
let ended: Promise<void>;

const setRuntimes = (...ids: string[]): void => {
  runtimes.replace("w", ids.map((id) => ({ id, name: id, provider: id, profileId: null })));
  runtimes.changes.notify();
};
const beatsOf = (id: string): number[] => beats.filter((beat) => beat.id === id).map(({ at }) => at);

beforeEach(() => {
  clock = new HeldClock(0);
  root = new AbortController();
  runtimes = new RuntimeRegistry();
  runtimes.track("w", "W");
  stamps = new AckStamps(clock);
  beats = [];
  gone = [];
  warnings = [];
  renewals = [];
  wanted = [];
  answer = () => Promise.resolve({ kind: "ok" });
  setRuntimes("a", "b");
  const logger: Logger = { ...silentLogger, warn: (_message, fields) => void warnings.push(fields ?? {}) };
  ended = runHeartbeats({
    clock,
    logger,
    runtimes,
    rootSignal: root.signal,
    intervalMs: INTERVAL,
    stamps,
    // The first delay is a third of the interval.
    random: () => 1 / 3,
    beat: (id) => {
      beats.push({ id, at: clock.monotonic() });
      return answer(id);
    },
    runtimeGone: (id) => void gone.push(id),
    onActions: (id) => void wanted.push(id),
    renewConnections: () => void renewals.push(clock.monotonic()),
  });
});

afterEach(async () => {
  root.abort();
  await ended;
  expect(clock.pending).toBe(0);
});

describe("HTTP heartbeats", () => {
  it("begin after a random part of the interval and then come every interval", async () => {
    await clock.advance(40_000);
    expect(beatsOf("a")).toEqual([5000, 20_000, 35_000]);
  });

  it("of one runtime are not delayed by a request of another that hangs", async () => {
    const never = Promise.withResolvers<BeatAnswer>();
    answer = (id) => (id === "a" ? never.promise : Promise.resolve({ kind: "ok" }));
    await clock.advance(60_000);
    expect(beatsOf("a")).toHaveLength(1);
    expect(beatsOf("b")).toEqual([5000, 20_000, 35_000, 50_000]);
    never.resolve({ kind: "ok" });
  });

  it("are left out while the socket acknowledges, and resume when its last answer is too old or it closes", async () => {
    stamps.stamp("a");
    await clock.advance(25_000);
    expect(beatsOf("a")).toEqual([]);
    await clock.advance(10_000);
    expect(beatsOf("a")).toEqual([35_000]);
    stamps.stamp("a");
    stamps.clear();
    await clock.advance(15_000);
    expect(beatsOf("a")).toEqual([35_000, 50_000]);
  });

  it("start for a new runtime and stop for one that disappeared", async () => {
    await clock.advance(5000);
    setRuntimes("b", "c");
    await clock.advance(30_000);
    expect(beatsOf("a")).toEqual([5000]);
    expect(beatsOf("c")).toEqual([10_000, 25_000]);
  });

  it("report a runtime that is gone once and end with it, others live", async () => {
    answer = (id) => Promise.resolve({ kind: id === "a" ? "runtime_gone" : "ok" });
    await clock.advance(60_000);
    expect(gone).toEqual(["a"]);
    expect(beatsOf("a")).toHaveLength(1);
    expect(beatsOf("b")).toHaveLength(4);
  });

  it("count transient failures in a row and start over after a success or another failure", async () => {
    setRuntimes("a");
    const kinds: BeatAnswer[] = [
      { kind: "transient", error: "1" },
      { kind: "transient", error: "2" },
      { kind: "failed", error: "3" },
      { kind: "transient", error: "4" },
      { kind: "ok" },
      { kind: "transient", error: "5" },
    ];
    answer = () => Promise.resolve(kinds.shift() ?? { kind: "ok" });
    await clock.advance(6 * INTERVAL);
    expect(warnings.map(({ error, consecutive }) => [error, consecutive])).toEqual([["1", 1], ["2", 2], ["3", 0], ["4", 1], ["5", 1]]);
  });

  it("give up kept connections at the second transient failure in a row, and only then [H-3]", async () => {
    setRuntimes("a");
    const failing = { kind: "transient", error: "x" } as const;
    const kinds: BeatAnswer[] = [failing, failing, failing, failing, { kind: "ok" }, failing, failing];
    answer = () => Promise.resolve(kinds.shift() ?? { kind: "ok" });
    await clock.advance(10 * INTERVAL);
    expect(renewals).toEqual([20_000, 95_000]);
  });

  it("hand on what the server asks for and do not wait for it [H-10]", async () => {
    setRuntimes("a");
    answer = () => Promise.resolve({ kind: "ok", actions: { pending_model_list: { id: "m" } } });
    await clock.advance(3 * INTERVAL);
    expect(wanted).toEqual(["a", "a", "a"]);
    expect(beatsOf("a")).toEqual([5000, 20_000, 35_000]);
  });
});

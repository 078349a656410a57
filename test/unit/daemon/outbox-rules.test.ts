import { describe, expect, it } from "vitest";
import type { Entry, Lane } from "../../../src/lib/daemon/outbox/lane.ts";
import { type Quota, overQuota } from "../../../src/lib/daemon/outbox/quota.ts";
import { retryWait } from "../../../src/lib/daemon/outbox/verdict.ts";

const even = (): number => 0.5;
const waits = (kind: Entry["kind"], count: number): number[] => Array.from({ length: count }, (_, at) => retryWait(kind, at + 1, null, even));

describe("the pause before the next attempt", () => {
  it("is 4 s doubling to 64 s and then a minute for results, one second doubling to a minute for the rest", () => {
    expect(waits("complete", 7)).toEqual([4000, 8000, 16_000, 32_000, 64_000, 60_000, 60_000]);
    expect(waits("fail", 1)).toEqual([4000]);
    expect(waits("messages", 8)).toEqual([1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]);
    expect(waits("usage", 1000).at(-1)).toBe(60_000);
  });

  it("differs by a fifth, and is as long as the server asks, within reason", () => {
    expect([retryWait("complete", 1, null, () => 0), retryWait("complete", 1, null, () => 1)]).toEqual([3200, 4800]);
    expect(retryWait("messages", 1, 90_000, even)).toBe(90_000);
    expect(retryWait("complete", 5, 1000, even)).toBe(64_000);
    expect(retryWait("complete", 1, 86_400_000, even)).toBe(15 * 60_000);
  });
});

describe("what may wait at most", () => {
  const QUOTA: Quota = { laneBytes: 100, totalBytes: 150, totalRows: 6, unsavedBytes: 50 };
  const entry = (kind: Entry["kind"], bytes: number): Entry => ({ kind, bytes, state: "queued" }) as Entry;
  const lanes = (...queues: Entry[][]): Map<string, Lane> => new Map(queues.map((entries, at) => [`t${at}`, { id: `t${at}`, entries, busy: null } as unknown as Lane]));
  const over = (all: Map<string, Lane>, unsaved = 0): readonly [string, Entry] | null => {
    const entries = [...all.values()].flatMap((lane) => lane.entries);
    const found = overQuota(all, all.get("t0") as Lane, { bytes: entries.reduce((sum, one) => sum + one.bytes, 0), rows: entries.length, unsaved }, QUOTA);
    return found === null ? null : [found.lane.id, found.entry];
  };

  it("costs the lane that is over its own limit its oldest messages", () => {
    const first = entry("messages", 60);
    expect(over(lanes([entry("session", 1), first, entry("messages", 41)]))).toEqual(["t0", first]);
    expect(over(lanes([entry("messages", 60), entry("messages", 40)]))).toBeNull();
  });

  it.each([
    ["bytes in all", [entry("messages", 50), entry("complete", 20)], [entry("messages", 90)], 0],
    ["rows in all", [entry("usage", 1), entry("complete", 1), entry("messages", 1)], [entry("messages", 2), entry("messages", 2), entry("messages", 2), entry("session", 1)], 0],
    ["bytes in memory alone", [entry("messages", 20)], [entry("messages", 40)], 51],
  ] as const)("costs the largest lane its oldest messages when there are too many %s", (_, small, large, unsaved) => {
    expect(over(lanes([...small], [...large]), unsaved)).toEqual(["t1", large[0]]);
  });

  it("never costs a session, usage, a result, or what is being sent", () => {
    const sent = { ...entry("messages", 60), state: "inflight" } as Entry;
    expect(over(lanes([entry("complete", 500), entry("usage", 500), entry("session", 500)]))).toBeNull();
    expect(over(lanes([sent, entry("complete", 500)]))).toBeNull();
  });
});

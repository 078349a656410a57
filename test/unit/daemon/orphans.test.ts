import { describe, expect, it } from "vitest";
import { LIMITS } from "../../../src/lib/daemon/limits.ts";
import { OrphanRecovery, type OrphanParts } from "../../../src/lib/daemon/orphans.ts";
import { RuntimeRegistry } from "../../../src/lib/daemon/runtimes.ts";
import { HeldClock } from "../../../src/lib/platform/index.ts";
import { silentLogger } from "../../../src/lib/platform/logger.ts";

const MINUTE = 60_000;

/** Two runtimes; the results of those in `waiting` are not taken by the server. */
function world(waiting: Set<string>) {
  const clock = new HeldClock(0);
  const root = new AbortController();
  const runtimes = new RuntimeRegistry();
  runtimes.track("w", "W");
  runtimes.replace("w", ["r1", "r2"].map((id) => ({ id, name: id, provider: "codex", profileId: null })));
  const told: string[] = [];
  const flushes: string[] = [];
  const parts: OrphanParts = {
    api: { recoverOrphans: (id: string) => Promise.resolve((told.push(id), { orphaned: 0, retried: 0 })) } as unknown as OrphanParts["api"],
    clock,
    limits: LIMITS,
    logger: silentLogger,
    runtimes,
    rootSignal: root.signal,
    usesRuntime: () => false,
    servedElsewhere: () => Promise.resolve(new Set()),
    flushReports: async (id, ms) => {
      flushes.push(id);
      if (waiting.has(id)) await clock.sleep(ms);
      return !waiting.has(id);
    },
  };
  const orphans = new OrphanRecovery(parts);
  orphans.expect(["r1", "r2"]);
  const begun = orphans.recover(["r1", "r2"]);
  return { clock, orphans, runtimes, told, flushes, begun, may: () => ["r1", "r2"].filter((id) => orphans.mayClaim(id)) };
}

describe("results that the server does not take at the start of a daemon", () => {
  it("keep it from hearing of that runtime's orphans, and the runtime from new tasks, until they are taken", async () => {
    const waiting = new Set(["r1"]);
    const { clock, told, may } = world(waiting);
    expect(may()).toEqual([]);
    await clock.advance(30_000);
    expect([told, may()]).toEqual([["r2"], ["r2"]]);
    await clock.advance(5 * MINUTE);
    expect([told, may()]).toEqual([["r2"], ["r2"]]);
    waiting.clear();
    await clock.advance(MINUTE);
    expect([told, may()]).toEqual([["r2", "r1"], ["r1", "r2"]]);
  });

  it("do so for ten minutes at most: the server would have given the tasks up by itself by then", async () => {
    const { clock, told, may, flushes } = world(new Set(["r1"]));
    await clock.advance(10 * MINUTE);
    expect(told).toEqual(["r2"]);
    await clock.advance(1.5 * MINUTE);
    expect([told, may()]).toEqual([["r2", "r1"], ["r1", "r2"]]);
    expect(flushes.filter((id) => id === "r1").length).toBeGreaterThan(8);
  });

  it("are not waited for when the runtime has gone", async () => {
    const { clock, told, runtimes, may } = world(new Set(["r1"]));
    await clock.advance(30_000);
    runtimes.remove("r1");
    await clock.advance(20 * MINUTE);
    expect([told, may()]).toEqual([["r2"], ["r1", "r2"]]);
  });
});

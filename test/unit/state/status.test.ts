import { describe, expect, it } from "vitest";
import { type StateStatus, withIndex } from "../../../src/lib/state/index.ts";

const NOW = Date.UTC(2026, 0, 1);
const said: StateStatus = { state: null, index: null, last_check: null, degraded: ["something else", "there is no index of sessions that can be read (multica state backfill makes it)"] };
const index = (holder: { pid: number; alive: boolean } | null, renewedMs: number): NonNullable<StateStatus["index"]> => ({
  path: "/s/index_1.sqlite", bytes: 1, schema: 1, homes: 1, roots: [], threads: 0, backfill: { holder, renewed_at: new Date(renewedMs).toISOString() },
});

describe("the status of a daemon that has no index yet", () => {
  it("is completed from the index's file: being filled is not missing", () => {
    const filled = withIndex(said, index({ pid: 7, alive: true }, NOW - 1000), NOW);
    expect([filled.index?.homes, filled.degraded]).toEqual([1, ["something else"]]);
    expect(withIndex(said, null, NOW)).toEqual(said);
  });

  it("tells of a filling that stands still, and of one whose process ended", () => {
    expect(withIndex(said, index({ pid: 7, alive: true }, NOW - 61_000), NOW).degraded).toEqual(["something else", expect.stringContaining("has stood still")]);
    expect(withIndex(said, index({ pid: 7, alive: false }, NOW), NOW).degraded).toEqual(["something else", expect.stringContaining("process 7 ended")]);
  });
});

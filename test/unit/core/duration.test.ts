import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatDuration, parseDuration } from "../../../src/lib/core/index.ts";

describe("parseDuration", () => {
  it.each([
    ["0", 0], ["0s", 0], ["90s", 90_000], ["1h30m", 5_400_000], ["1.5h", 5_400_000], [".5s", 500], ["250ms", 250], ["40us", 0.04], ["40µs", 0.04],
    ["40μs", 0.04], ["7ns", 0.000_007], ["-2s", -2000], ["+2s", 2000], [" 1m ", 60_000], ["2.3m", 138_000], ["1s500ms", 1500],
  ])("reads %j as %d ms", (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  it.each(["", " ", "5", "s", "1x", "1h 30m", "1h-30m", "--5s", "1..5s", "1,5s", "1H", "1d", "Infinity", "NaN", "1s;", "-"])("refuses %j as a usage error", (text) => {
    expect(() => parseDuration(text)).toThrow(expect.objectContaining({ code: "bad_duration", exit: 2 }) as Error);
  });
});

describe("formatDuration", () => {
  it.each([
    [0, "0s"], [250, "250ms"], [1000, "1s"], [1500, "1.5s"], [60_000, "1m0s"], [90_000, "1m30s"], [3_600_000, "1h0m0s"], [90_061_001, "25h1m1.001s"],
    [-2000, "-2s"], [0.5, "500µs"], [0.000_1, "100ns"], [59_999.999_999_9, "1m0s"], [999.999_999_9, "1s"], [3_599_999.999_999_99, "1h0m0s"],
  ])("writes %d ms as %s", (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });

  it("is read back as the same duration", () => {
    fc.assert(
      fc.property(fc.oneof(fc.integer({ min: -1e12, max: 1e12 }), fc.integer({ min: -1e9, max: 1e9 }).map((nanos) => nanos / 1e6)), (ms) => {
        // `toBe` tells 0 and -0 apart; a duration does not.
        expect(parseDuration(formatDuration(ms)) + 0).toBe(ms + 0);
      }),
      { numRuns: 2000 },
    );
  });
});

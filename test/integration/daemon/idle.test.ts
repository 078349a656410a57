import { describe, expect, it } from "vitest";
import { idleDaemon } from "../../support/idle-daemon.ts";

describe("an idle daemon", () => {
  it("asks, sets and writes little in half an hour of held time", async () => {
    const figures = await idleDaemon(0.5);
    process.stderr.write(`${JSON.stringify(figures)}\n`);
    expect(figures.requests["POST /api/daemon/heartbeat"] ?? 0).toBeLessThanOrEqual(2);
    expect(figures.requestsInAll).toBeLessThanOrEqual(5);
    expect(Object.values(figures.frames).reduce((sum, count) => sum + count, 0)).toBeLessThanOrEqual(400);
    expect(figures.timersAtOnce).toBeLessThanOrEqual(60);
    expect(figures.logBytes).toBeLessThanOrEqual(2000);
  }, 60_000);
});

import { describe, expect, it } from "vitest";
import { idleDaemon } from "../support/idle-daemon.ts";

describe("twenty hours of an idle daemon", () => {
  it("cost few requests, timers and bytes of log", async () => {
    const figures = await idleDaemon(20);
    process.stderr.write(`${JSON.stringify(figures)}\n`);
    // Half an hour between two lists of workspaces; everything else goes over the socket.
    expect(figures.requestsInAll).toBeLessThanOrEqual(100);
    // One heartbeat every 15 s, one claim every 30 s, and their answers.
    expect(Object.values(figures.frames).reduce((sum, count) => sum + count, 0)).toBeLessThanOrEqual(15_000);
    expect(figures.timersAtOnce).toBeLessThanOrEqual(60);
    expect(figures.timersSet).toBeLessThanOrEqual(150_000);
    expect(figures.logBytes).toBeLessThanOrEqual(64 * 1024);
  });
});

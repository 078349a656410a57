import { describe, expect, it } from "vitest";
import { endRightAfterLastLine, flood, killDaemonWhileCounting, startManyAtOnce } from "../support/exec-load.ts";

describe("commands that outlive their caller, full counts", () => {
  it("lose no number when the daemon is killed five times while twenty of them print (Y1, Y2)", async () => {
    await killDaemonWhileCounting({ processes: 20, lines: 4000, kills: 5 });
  });

  it("never lose the last line of a hundred terminal commands (Y17)", async () => {
    await endRightAfterLastLine(100, 4);
  });

  it("start sixty-four at once within fifteen seconds; one more makes the least recently used go (Y33)", async () => {
    await startManyAtOnce(64, 15_000);
  });

  it("keep the host small under 1 GiB of output, with the gap told exactly (Y18)", async () => {
    const { peakKib } = await flood(1 << 30);
    expect(peakKib).toBeGreaterThan(0);
    expect(peakKib).toBeLessThanOrEqual(90 * 1024);
  });
});

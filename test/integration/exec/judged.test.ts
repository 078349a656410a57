import { describe, expect, it } from "vitest";
import { endRightAfterLastLine, flood, killDaemonWhileCounting } from "../../support/exec-load.ts";

// Short forms; the full counts are in test/long/exec.test.ts.

describe("commands that outlive their caller", () => {
  it("lose no number when the daemon is killed while they print (Y1, Y2)", async () => {
    await killDaemonWhileCounting({ processes: 6, lines: 600, kills: 2 });
  }, 60_000);

  it("never lose the last line of a terminal command that ends at once (Y17)", async () => {
    await endRightAfterLastLine(16, 4);
  }, 60_000);

  it("keep the host small under 64 MiB of output, with the gap told exactly (Y18)", async () => {
    const { peakKib } = await flood(64 << 20);
    expect(peakKib).toBeGreaterThan(0);
    expect(peakKib).toBeLessThanOrEqual(90 * 1024);
  }, 60_000);
});

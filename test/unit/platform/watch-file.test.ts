import { renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { HeldClock, systemClock, watchFile } from "../../../src/lib/platform/index.ts";
import { tempDir } from "../../support/temp.ts";
import { waitFor } from "../../support/wait.ts";

describe("watchFile", () => {
  it("tells of a change by the system's word, also after the file was replaced", async () => {
    const path = join(tempDir(), "config.json");
    writeFileSync(path, "1");
    let calls = 0;
    onTestFinished(watchFile(path, { clock: systemClock, pollMs: 60_000, onChange: () => (calls += 1) }));
    for (const text of ["22", "333", "4444"]) {
      const before = calls;
      writeFileSync(`${path}.new`, text);
      renameSync(`${path}.new`, path);
      await waitFor("the call", () => calls > before);
    }
  });

  it("tells by polling of a file that appears and goes, and nothing when nothing changed", async () => {
    const path = join(tempDir(), "config.json");
    const clock = new HeldClock();
    let calls = 0;
    const stop = watchFile(path, { clock, pollMs: 1000, onChange: () => (calls += 1) });
    await clock.advance(5000);
    expect(calls).toBe(0);
    writeFileSync(path, "1");
    await clock.advance(1000);
    expect(calls).toBe(1);
    rmSync(path);
    await waitFor("the second call", async () => {
      await clock.advance(1000);
      return calls === 2;
    });
    stop();
    writeFileSync(path, "2");
    await clock.advance(5000);
    expect(calls).toBe(2);
  });
});

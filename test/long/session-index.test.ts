import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { indexWorld } from "../support/index-db.ts";
import { indexTrial } from "../support/index-trial.ts";
import { threadId, writeRollout } from "../support/rollouts.ts";

it("answers rightly, fast and in little memory for a home of 20,000 rollouts [judged 5]", async () => {
  const figures = await indexTrial({ count: 20_000, seed: 5 });
  process.stdout.write(`session index: ${JSON.stringify(figures)}\n`);
  expect(figures.filesPerSecond).toBeGreaterThan(300);
  expect(figures.hugeMs).toBeLessThan(100);
  // What grows with the files must not be held: the same limit as for 1,500.
  expect(figures.grownMiB).toBeLessThan(100);
});

it("reads 5,000 rollouts once for 1,000 task homes that link to them, in less than a minute [B27]", async () => {
  const world = indexWorld();
  const at = Date.UTC(2026, 0, 1);
  for (let n = 0; n < 5000; n += 1) writeRollout(world.home, { id: threadId(at + n * 60_000, n), at: at + n * 60_000 });
  for (let n = 0; n < 1000; n += 1) {
    const home = join(world.places.workspacesRoot, `w${n % 10}`, `task${n}`, "codex-home");
    mkdirSync(home, { recursive: true });
    symlinkSync(join(world.home, "sessions"), join(home, "sessions"));
  }
  const started = performance.now();
  let read = 0;
  const index = await world.open({ onFilled: (stats) => (read = stats.upserted) });
  expect(performance.now() - started).toBeLessThan(60_000);
  expect(read).toBe(5000);
  expect((await index.get(threadId(at, 0)))?.homes.length).toBe(1001);
});

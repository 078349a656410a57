import { expect, it } from "vitest";
import { indexTrial } from "../../../support/index-trial.ts";

it("answers rightly, fast and in little memory for a home of 1,500 rollouts as years of work leave it [judged 5]", async () => {
  const figures = await indexTrial({ count: 1500, seed: 5 });
  expect(figures.filesPerSecond).toBeGreaterThan(300);
  expect(figures.hugeMs).toBeLessThan(100);
  expect(figures.grownMiB).toBeLessThan(100);
}, 60_000);

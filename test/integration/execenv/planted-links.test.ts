import { describe, expect, it } from "vitest";
import { plantedFaults } from "../../support/heal/planted.ts";

describe("what a task plants in its environment", () => {
  // One in ten pairs of plant and operation; all of them: test/long/planted-links.test.ts.
  it.each(["codex", "acp"])("never makes us read, write or delete outside of it (%s)", async (provider) => {
    expect(await plantedFaults(provider, 10)).toEqual([]);
  }, 120_000);
});

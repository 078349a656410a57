import { expect, it } from "vitest";
import { plantedFaults } from "../support/heal/planted.ts";

it.each(["codex", "acp"])("nothing that a task plants makes us read, write or delete outside of its environment (%s)", async (provider) => {
  expect(await plantedFaults(provider, 1)).toEqual([]);
});

import { expect, it } from "vitest";
import { trials } from "../support/heal/trial.ts";

it("heal loses nothing in 1,250 homes that are damaged at random, part 1 of 4", async () => {
  expect(await trials(30_000_000, 1250)).toEqual([]);
});

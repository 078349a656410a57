import { expect, it } from "vitest";
import { faultEverywhere } from "../support/heal/faulty.ts";

it.each([{ how: "kill" }, { how: "ENOSPC", stays: true }, { how: "EIO" }] as const)("a heal struck by $how at each of its operations is finished by the next one, and nothing is lost", async (how) => {
  const { faults, operations, tried } = await faultEverywhere(how, () => true);
  expect(faults).toEqual([]);
  expect(tried).toBe(operations);
});

import { describe, expect, it } from "vitest";
import { faultEverywhere } from "../../support/heal/faulty.ts";

/** HEAL_EVERY=1 tries all of them here. */
const every = (short: number): number => Number(process.env["HEAL_EVERY"] ?? short);

// At every operation: test/long/heal-faults.test.ts.
describe("a heal that is cut off", () => {
  it("by SIGKILL, mid-write too, is finished by the next one, and nothing is lost", async () => {
    const { faults, operations, tried } = await faultEverywhere({ how: "kill" }, (at) => at % every(6) === 0);
    expect(faults).toEqual([]);
    expect([operations > 60, tried >= 10]).toEqual([true, true]);
  }, 120_000);

  it.each([{ how: "ENOSPC", stays: true }, { how: "EIO" }] as const)("by an error ($how) says so, and is finished by the next one", async (how) => {
    const { faults } = await faultEverywhere(how, (at) => at % every(20) === 0);
    expect(faults).toEqual([]);
  }, 120_000);
});

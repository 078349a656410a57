import { describe, expect, it } from "vitest";
import { trials } from "../../support/heal/trial.ts";

describe("heal of homes that are damaged at random", () => {
  // 5,000 of them: test/long/heal-random-*.test.ts.
  it("never throws, loses nothing, ends healthy or with findings for a person, and is done the first time", async () => {
    expect(await trials(20_260_000, 150)).toEqual([]);
  }, 120_000);
});

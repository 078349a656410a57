import { describe, expect, it } from "vitest";
import { simulateClaims } from "../../support/claim-simulation.ts";

describe("claiming over many runtimes, with lost wake-ups, lost answers and restarting servers", () => {
  it.each([4, 7])("exceeds no limit, starts nothing twice, starves nobody, and knows why each task waits (seed %i)", async (seed) => {
    const result = await simulateClaims({ seed, tasks: 200, workspaces: 3, runtimesPerWorkspace: 3, daemons: 3 });
    expect(result.broken).toEqual([]);
    expect(result).toMatchObject({ completed: 200, started: 200 });
    expect(result.restarts).toBeGreaterThan(0);
    expect(Object.keys(result.reasons)).toEqual(expect.arrayContaining(["no_slot", "starting"]));
  }, 60_000);
});

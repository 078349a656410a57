import { describe, expect, it } from "vitest";
import { seedOf, simulateClaims } from "../../support/claim-simulation.ts";

describe("claiming over many runtimes, with lost wake-ups, lost answers and restarting servers", () => {
  const sizes = { tasks: 200, workspaces: 3, runtimesPerWorkspace: 3, daemons: 3 };

  it.each([4, 7])("exceeds no limit, starts nothing twice, starves nobody, and knows why each task waits (seed %i)", async (fallback) => {
    const seed = seedOf(fallback);
    const result = await simulateClaims({ seed, ...sizes });
    expect(result.broken).toEqual([]);
    expect(result).toMatchObject({ seed, completed: 200, started: 200 });
    expect(result.restarts).toBeGreaterThan(0);
    expect(Object.keys(result.reasons)).toEqual(expect.arrayContaining(["no_slot", "starting"]));
  }, 60_000);

  it("is the same run again with the same seed", async () => {
    const again = () => simulateClaims({ seed: 11, ...sizes, tasks: 60 });
    expect(await again()).toEqual(await again());
  }, 60_000);
});

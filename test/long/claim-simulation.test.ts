import { describe, expect, it } from "vitest";
import { simulateClaims } from "../support/claim-simulation.ts";

describe("10,000 tasks over 50 runtimes in 10 workspaces", () => {
  it.each([7, 11, 13, 17])("exceed no limit, are started once each, none is starved, and every waiting one has a reason that is true (a quarter, seed %i)", async (seed) => {
    const result = await simulateClaims({ seed, tasks: 2500, workspaces: 10, runtimesPerWorkspace: 5, daemons: 5 });
    process.stderr.write(`${JSON.stringify(result)}\n`);
    expect(result.broken).toEqual([]);
    expect(result).toMatchObject({ completed: 2500, started: 2500 });
  });
});

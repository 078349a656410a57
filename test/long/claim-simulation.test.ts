import { describe, expect, it } from "vitest";
import { seedOf, simulateClaims } from "../support/claim-simulation.ts";

// SIMULATION_SEED=… repeats a run: ids, times and everything that goes wrong come from it.
describe("10,000 tasks over 50 runtimes in 10 workspaces", () => {
  it.each([
    ["arriving in waves", false],
    ["all waiting from the start", true],
  ])("%s exceed no limit, are started once each, none is starved, and every waiting one has a reason that is true", async (_how, backlog) => {
    const begin = performance.now();
    const result = await simulateClaims({ seed: seedOf(7), tasks: 10_000, workspaces: 10, runtimesPerWorkspace: 5, daemons: 5, backlog });
    process.stderr.write(`${JSON.stringify({ tasks: 10_000, backlog, seconds: Math.round((performance.now() - begin) / 1000), ...result })}\n`);
    expect(result.broken).toEqual([]);
    expect(result).toMatchObject({ completed: 10_000, started: 10_000 });
    for (const figure of [result.restarts, result.lostWakes, result.lostAnswers]) expect(figure).toBeGreaterThan(0);
  });
});

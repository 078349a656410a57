import { describe, expect, it } from "vitest";
import { simulateClaims } from "../support/claim-simulation.ts";

describe("10,000 tasks over 50 runtimes in 10 workspaces", () => {
  it("exceed no limit, are started once each, none is starved, and every waiting one has a reason that is true", async () => {
    const result = await simulateClaims({ seed: 7, tasks: 10_000, workspaces: 10, runtimesPerWorkspace: 5, daemons: 5 });
    process.stderr.write(`${JSON.stringify(result)}\n`);
    expect(result.broken).toEqual([]);
    expect(result).toMatchObject({ completed: 10_000, started: 10_000 });
  });
});

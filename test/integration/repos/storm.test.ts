import { describe, expect, it } from "vitest";
import { RepoStorm } from "../../support/repo-storm.ts";

const SEED = Number(process.env["MULTICA_SEED"] ?? 20_261_121);
const STEPS = Number(process.env["MULTICA_STEPS"] ?? 120);

describe("a random sequence of agents' work and ours", () => {
  it(`loses no byte and leaves every repository whole (seed ${SEED}, ${STEPS} steps)`, async () => {
    const report = await new RepoStorm(SEED).run(STEPS);
    expect(report.ours).toBeGreaterThan(STEPS / 4);
    expect(report.kills + report.cancels).toBeGreaterThan(0);
    expect(report.rescues).toBeGreaterThan(0);
  }, 120_000);
});

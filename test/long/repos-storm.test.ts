import { describe, expect, it } from "vitest";
import { RepoStorm } from "../support/repo-storm.ts";

const STEPS = 500;
const FIRST_SEED = Number(process.env["MULTICA_SEED"] ?? 1);

describe("random sequences of agents' work and ours, 2,000 steps in all", () => {
  it.each([0, 1, 2, 3].map((at) => FIRST_SEED + at))("lose no byte and leave every repository whole (seed %i)", async (seed) => {
    const report = await new RepoStorm(seed).run(STEPS);
    expect(report.kills).toBeGreaterThan(5);
    expect(report.rescues).toBeGreaterThan(10);
  });
});

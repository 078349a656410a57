import { describe, expect, it } from "vitest";
import { chaosRun } from "../support/chaos/run.ts";
import { tempDir } from "../support/temp.ts";

// CHAOS_SEED=<n> replays a run: the same blows in the same order, the same cuts.
describe("200 tasks keep every promise while daemon, server, network and disk fail", () => {
  it.each(["child", "host"] as const)("with agents under the transport %s", async (transport) => {
    const seed = Number(process.env["CHAOS_SEED"] ?? Date.now() % 1_000_000);
    process.stdout.write(`chaos seed: ${seed}\n`);
    const result = await chaosRun(tempDir("multica-chaos-"), {
      seed, tasks: 200, daemonKills: 30, serverStops: 16, faults: 2, concurrency: 6, transport, paceMs: 3000, cutShare: 0.01, limitMs: 520_000,
    });
    const { broken, ...facts } = result;
    process.stdout.write(`chaos: ${transport}: ${JSON.stringify(facts, null, 2)}\n`);
    expect(broken).toEqual([]);
    expect(result).toMatchObject({ exitCode: 0, left: { reports: 0, dead: 0, processes: 0 } });
    expect(result.successes).toBeGreaterThan(50);
  }, 540_000);
});

import { describe, expect, it } from "vitest";
import { chaosRun } from "../../../support/chaos/run.ts";
import { tempDir } from "../../../support/temp.ts";

// The short form of `npm run test:chaos`, with a seed of its own so that every run of CI deals the same blows; CHAOS_SEED
// deals others. The limit is wide: after an unlucky cut a report waits up to a minute for its next attempt.
describe("a few tasks keep every promise while daemon, server, network and disk fail", () => {
  it.each(["child", "host"] as const)("with agents under the transport %s", async (transport) => {
    const seed = Number(process.env["CHAOS_SEED"] ?? 4711);
    const result = await chaosRun(tempDir("multica-chaos-"), {
      seed, tasks: 8, daemonKills: 2, serverStops: 2, faults: 1, concurrency: 4, transport, paceMs: 1000, cutShare: 0.02, limitMs: 240_000,
    });
    process.stdout.write(`chaos: ${transport}: ${JSON.stringify(result)}\n`);
    expect(result).toMatchObject({ broken: [], exitCode: 0, left: { reports: 0, dead: 0, processes: 0 } });
    expect(result.successes).toBeGreaterThan(0);
  }, 270_000);
});

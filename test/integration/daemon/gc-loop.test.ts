import { existsSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { resolveGcSettings } from "../../../src/lib/config/index.ts";
import { createActiveRoots } from "../../../src/lib/daemon/active-roots.ts";
import { type GcParts, runGc } from "../../../src/lib/daemon/loops/gc.ts";
import { writeGcMeta } from "../../../src/lib/execenv/index.ts";
import { HeldClock } from "../../../src/lib/platform/index.ts";
import { WORKSPACE } from "../../support/execenv.ts";
import { taskId, world } from "../../support/execenv-world.ts";
import { recordingLogger } from "../../support/recording-logger.ts";
import { waitFor } from "../../support/wait.ts";

const HOUR = 3_600_000;

/** The collector's loop over a machine with one environment of a finished issue and one of an open one. */
async function loop(change: Partial<GcParts> = {}) {
  const w = world();
  const clock = new HeldClock(Date.now());
  const make = async (tail: string, issueId: string) => {
    const env = await w.make(tail, { task: { issueId } });
    await writeGcMeta({ root: env.root, workspaceId: WORKSPACE, taskId: taskId(tail), task: { issueId }, nowMs: clock.now() });
    return env.root;
  };
  const done = await make("1", "done");
  const open = await make("2", "open");
  const stop = new AbortController();
  const { logger, lines } = recordingLogger();
  const cycles: number[] = [];
  const parts: GcParts = {
    clock,
    logger,
    rootSignal: stop.signal,
    activeRoots: createActiveRoots(),
    env: { ...w.env, MULTICA_AGENT_TEMP_BASE: w.home },
    profile: "",
    config: { workspacesRoot: w.root },
    settings: { ...resolveGcSettings({}), enabled: true, intervalMs: HOUR },
    firstMs: 30_000,
    usesRoot: () => false,
    ask: (parents) => {
      cycles.push(clock.now());
      return Promise.resolve(new Map(parents.map(({ kind, id }) => [`${kind}:${id}`, { kind: "found", status: id === "done" ? "done" : "todo", changedAtMs: clock.now() - 25 * HOUR }] as const)));
    },
    ...change,
  };
  const running = runGc(parts);
  /** Lets the time pass until the next cycle has been through. */
  const next = async (ms: number): Promise<void> => {
    await waitFor("the loop to sleep", () => clock.pending > 0);
    await clock.advance(ms);
    await waitFor("the loop to sleep again", () => clock.pending > 0);
  };
  return { parts, clock, done, open, lines, cycles, next, end: async () => (stop.abort(), running) };
}

describe("the collector's loop", () => {
  it("collects 30 s after the start, then every interval, and says what it reclaimed (G-1)", async () => {
    const { next, done, open, lines, cycles, clock, end } = await loop();
    const start = clock.now();
    await next(29_999);
    expect(cycles).toEqual([]);
    await next(1);
    expect([existsSync(done), existsSync(open), cycles]).toEqual([false, true, [start + 30_000]]);
    expect(lines.map((line) => line.msg)).toEqual(["gc: reclaimed"]);
    expect(lines[0]).toMatchObject({ clean: 1, bytes: expect.any(Number) as number });
    await next(HOUR);
    expect([cycles.length, lines.length]).toEqual([2, 1]);
    await end();
  });

  it("leaves alone what a task has marked, and takes it in the next cycle (G-7)", async () => {
    const { parts, next, done, lines, end } = await loop();
    const release = parts.activeRoots.mark(done);
    await next(30_000);
    expect([existsSync(done), lines]).toEqual([true, []]);
    release();
    await next(HOUR);
    expect(existsSync(done)).toBe(false);
    await end();
  });

  it("leaves alone what a command outside of tasks works in, and goes on after a failure", async () => {
    let asked = 0;
    const { next, done, lines, end } = await loop({
      usesRoot: () => {
        if ((asked += 1) === 1) throw new Error("no list");
        return true;
      },
    });
    await next(30_000);
    await next(HOUR);
    expect([existsSync(done), asked > 1, lines.filter((line) => line.level === "warn").length]).toEqual([true, true, 1]);
    await end();
  });

  it("is switched off by its setting", async () => {
    const { lines, clock, end } = await loop({ settings: { ...resolveGcSettings({}), enabled: false, intervalMs: HOUR } });
    await end();
    expect([lines.map((line) => line.msg), clock.pending]).toEqual([["gc: disabled"], 0]);
  });
});

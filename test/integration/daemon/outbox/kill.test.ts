import { spawn } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openStateReader } from "../../../../src/lib/state/open.ts";
import { reportServer } from "../../../support/report-server.ts";
import { testOutbox } from "../../../support/outbox.ts";
import { tempDir } from "../../../support/temp.ts";
import { waitFor } from "../../../support/wait.ts";

const worker = join(import.meta.dirname, "step-worker.ts");

function run(dir: string, url: string, step: number): Promise<{ signal: string | null; code: number | null; out: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [worker, dir, url, String(step)], { stdio: ["ignore", "pipe", "inherit"] });
    let out = "";
    child.stdout.on("data", (chunk: Buffer) => (out += chunk.toString()));
    child.on("close", (code, signal) => resolve({ signal, code, out }));
  });
}

/** Kills at one step, lets the next process finish, and says what the server ended up with. */
async function killedAt(step: number): Promise<boolean> {
  const server = await reportServer();
  const dir = tempDir();
  const first = await run(dir, server.url, step);
  if (first.signal !== "SIGKILL") return false;
  const next = await testOutbox({ url: server.url, dir });
  await waitFor(`the outbox to be empty after a kill at step ${step}`, () => next.outbox.lanes.size === 0);
  next.die();
  const task = server.task("t");
  const numbers = task.messages.map((one) => one.seq);
  // What was written down arrives, once and in order; what was not is nowhere.
  expect([step, numbers]).toEqual([step, [1, 2, 3, 4, 5].slice(0, numbers.length)]);
  expect(task.endings.length).toBeLessThanOrEqual(1);
  if (first.out.includes("written")) expect([step, numbers, task.status]).toEqual([step, [1, 2, 3, 4, 5], "completed"]);
  const reader = openStateReader({ stateDir: dir });
  expect(reader?.outboxSummary()).toMatchObject({ queued: 0, inflight: 0, ambiguous: 0, dead: 0 });
  expect(reader?.getTask("t")?.phase ?? "none").toBe(task.status === "completed" ? "done" : reader?.getTask("t") === null ? "none" : "lost");
  reader?.close();
  return true;
}

describe("a process that is killed while it reports", () => {
  it("loses and repeats nothing, whichever step it dies at", async () => {
    const whole = await run(tempDir(), (await reportServer()).url, 100_000);
    const steps = Number(/steps (\d+)/.exec(whole.out)?.[1]);
    expect(steps).toBeGreaterThan(20);
    const all = Array.from({ length: steps }, (_, index) => index + 1);
    // Two at a time: the steps are independent of one another.
    const next = async (): Promise<void> => {
      for (let step = all.shift(); step !== undefined; step = all.shift()) await killedAt(step);
    };
    await Promise.all([next(), next()]);
  }, 60_000);
});

import { describe, expect, it } from "vitest";
import { awaitUpdate } from "../../../src/cli/runtime-update.ts";
import { HeldClock } from "../../../src/lib/platform/index.ts";

/** Waits for an update whose polls answer these statuses in turn, the last one for ever. */
async function waited(...statuses: string[]): Promise<unknown> {
  const clock = new HeldClock();
  let polls = 0;
  const api = { pollUpdate: (_runtime: string, id: string) => Promise.resolve({ id, status: statuses[Math.min(polls++, statuses.length - 1)] ?? "", error: "no space" }) };
  let settled: unknown;
  void awaitUpdate(api, { id: "u", status: "pending" }, { runtime: "r", clock, signal: new AbortController().signal }).then(
    (update) => (settled = [update.status, polls]),
    (error: unknown) => (settled = [error, polls]),
  );
  for (let step = 0; settled === undefined && step < 200; step += 1) await clock.advance(2000);
  return settled;
}

describe("runtime update --wait", () => {
  it("asks every two seconds until the update is completed, failed, or has had its five minutes", async () => {
    expect(await waited("running", "completed")).toEqual(["completed", 2]);
    expect(await waited("running", "failed")).toEqual([expect.objectContaining({ message: "no space", exit: 1 }), 2]);
    expect(await waited("timeout")).toEqual([expect.objectContaining({ message: "no space", exit: 1 }), 1]);
    expect(await waited("running")).toEqual([expect.objectContaining({ message: "the update is still under way after 5 minutes", exit: 1 }), 150]);
  });
});

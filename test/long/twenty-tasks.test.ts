import { describe, expect, it } from "vitest";
import { twentyTasks } from "../support/many-tasks.ts";

describe("twenty tasks that want one repository of 5,000 files at once", () => {
  it.each([1, 2])("take at most one and a half times as long as git by hand, with %i daemon(s) on one root", async (daemons) => {
    const { took, hand } = await twentyTasks(5000, daemons);
    process.stderr.write(`${daemons} daemon(s): ${took.toFixed(2)} s, by hand ${hand.toFixed(2)} s, ratio ${(took / hand).toFixed(2)}\n`);
    expect(took).toBeLessThanOrEqual(hand * 1.5);
  });
});

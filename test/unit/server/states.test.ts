import { describe, expect, it } from "vitest";
import { isBareAcknowledgement } from "../../../src/lib/server/services/tasks/complete.ts";
import { commentText } from "../../../src/lib/server/services/tasks/final-text.ts";
import { statesBefore } from "../../../src/lib/server/services/tasks/states.ts";

describe("statesBefore", () => {
  it.each([
    ["queued", ["deferred", "dispatched"]],
    ["deferred", []],
    ["dispatched", ["queued", "dispatched"]],
    ["waiting_local_directory", ["dispatched"]],
    ["running", ["dispatched", "waiting_local_directory"]],
    ["completed", ["running"]],
    ["failed", ["queued", "deferred", "dispatched", "waiting_local_directory", "running"]],
    ["cancelled", ["queued", "deferred", "dispatched", "waiting_local_directory", "running"]],
  ] as const)("lets a task become %s only from %j", (to, from) => {
    expect(statesBefore(to)).toEqual(from);
  });
});

describe("isBareAcknowledgement", () => {
  it.each(["done", " Done. ", "DONE!!!", "完成。", "готово…"])("takes %j for one", (text) => {
    expect(isBareAcknowledgement(text)).toBe(true);
  });
  it.each(["done: fixed the test", "", "all done"])("does not take %j for one", (text) => {
    expect(isBareAcknowledgement(text)).toBe(false);
  });
});

describe("commentText", () => {
  it("decodes escapes an agent wrote out and hides secrets", () => {
    expect(commentText("a\\nb\\tc token ghp_abcdefghijklmnopqrstuvwxyz0123")).toBe("a\nb\tc token [REDACTED]");
  });
  it("stops at its length limit", () => {
    expect(commentText("x".repeat(100_000))).toHaveLength(60_000);
  });
});

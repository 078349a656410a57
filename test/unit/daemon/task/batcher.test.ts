import { describe, expect, it } from "vitest";
import { batches, startBatcher } from "../../../../src/lib/daemon/task/batcher.ts";
import { Transcript } from "../../../../src/lib/daemon/task/transcript.ts";
import { HeldClock } from "../../../../src/lib/platform/index.ts";
import { recordingSink } from "../../../support/task-sink.ts";

function parts(before?: (what: string) => Promise<void>) {
  const clock = new HeldClock();
  const transcript = new Transcript({ secrets: [] });
  const sink = recordingSink(before);
  const batcher = startBatcher({ clock, taskId: "t", transcript, sink });
  const seqs = (): number[][] => sink.calls.flatMap((call) => (call.what === "messages" ? [call.batch.map((entry) => entry.seq)] : []));
  return { clock, transcript, batcher, seqs };
}

describe("startBatcher", () => {
  it("sends what is new every 500 ms and nothing when there is nothing", async () => {
    const { clock, transcript, batcher, seqs } = parts();
    await clock.advance(1000);
    transcript.add({ kind: "text", content: "one\n" });
    transcript.add({ kind: "error", content: "two" });
    await clock.advance(499);
    expect(seqs()).toEqual([]);
    await clock.advance(1);
    expect(seqs()).toEqual([[1, 2]]);
    await batcher.finish();
    expect(seqs()).toEqual([[1, 2]]);
    expect(clock.pending).toBe(0);
  });

  it("keeps one request under way at a time and the order of all", async () => {
    const gate = Promise.withResolvers<void>();
    const { clock, transcript, batcher, seqs } = parts(() => gate.promise);
    transcript.add({ kind: "error", content: "1" });
    await clock.advance(500);
    transcript.add({ kind: "error", content: "2" });
    await clock.advance(500);
    transcript.add({ kind: "error", content: "3" });
    await clock.advance(500);
    expect(seqs()).toEqual([]);
    gate.resolve();
    await clock.advance(500);
    expect(seqs()).toEqual([[1], [2, 3]]);
    transcript.add({ kind: "text", content: "no line end" });
    await batcher.finish();
    expect(seqs()).toEqual([[1], [2, 3], [4]]);
  });

  it("finishes only when the last batch is delivered", async () => {
    const gate = Promise.withResolvers<void>();
    const { transcript, batcher, seqs } = parts(() => gate.promise);
    transcript.add({ kind: "error", content: "1" });
    let finished = false;
    const done = batcher.finish().then(() => (finished = true));
    await new Promise((resolve) => setImmediate(resolve));
    expect(finished).toBe(false);
    gate.resolve();
    await done;
    expect(seqs()).toEqual([[1]]);
  });
});

describe("batches", () => {
  it("cuts at 100 entries and at 256 KiB", () => {
    const small = Array.from({ length: 250 }, (_, index) => ({ seq: index + 1, type: "text", content: "x" }));
    expect(batches(small).map((batch) => batch.length)).toEqual([100, 100, 50]);
    const big = Array.from({ length: 3 }, (_, index) => ({ seq: index + 1, type: "text", content: "x".repeat(150_000) }));
    expect(batches(big).map((batch) => batch.length)).toEqual([1, 1, 1]);
    expect(batches([])).toEqual([]);
  });
});

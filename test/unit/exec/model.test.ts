import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DetachedStore, type Parked } from "../../../src/lib/exec/model/detached.ts";
import { HeadTailBuffer } from "../../../src/lib/exec/model/head-tail.ts";
import { ProcessManager } from "../../../src/lib/exec/model/manager.ts";
import { approximateTokens, clampYield, decodeText, truncateText, wholeCharacters } from "../../../src/lib/exec/model/text.ts";

// Cases of the specification (X, Y) that need no process. Not applicable: X12 and X13 (managed networking does not exist
// here; that a detach cuts what belongs to the session is tested with a viewer in service.test.ts), X22 (no out-of-band
// question pauses a call here), X23 (the block of defaults is the command line's).

interface Fake extends Parked {
  readonly name: string;
}

function fake(processId: string, more: Partial<Fake> = {}): Fake {
  return { processId, threadId: "t", generation: 1, lastUsedMs: 0, exited: false, keep: false, name: processId, ...more };
}

describe("ProcessManager", () => {
  it("exports everything in the order of ids and forgets it (X1, X10)", () => {
    const manager = new ProcessManager<Fake>();
    for (const id of ["900", "1000", "20"]) manager.store(fake(id));
    expect(manager.export().map((entry) => entry.processId)).toEqual(["1000", "20", "900"]);
    expect(manager.size).toBe(0);
    expect(manager.get("20")).toBeUndefined();
    expect(manager.has("20")).toBe(false);
  });

  it("exports a selection (G8)", () => {
    const manager = new ProcessManager<Fake>();
    for (const id of ["1", "2", "3"]) manager.store(fake(id));
    expect(manager.export(["3", "9", "1"]).map((entry) => entry.processId)).toEqual(["1", "3"]);
    expect(manager.list().map((entry) => entry.processId)).toEqual(["2"]);
  });

  it("skips what is in use and what is only reserved, reports it sorted and hands it back; later it succeeds (X6)", () => {
    const manager = new ProcessManager<Fake>();
    manager.store(fake("30"));
    manager.reserve("10");
    const first = manager.import([fake("10"), fake("20"), fake("30")]);
    expect(first.summary).toEqual({ reattached_count: 1, skipped_count: 2, skipped_process_ids: ["10", "30"] });
    expect(first.skipped.map((entry) => entry.processId)).toEqual(["10", "30"]);
    manager.release("10");
    expect(manager.import(first.skipped.slice(0, 1)).summary).toEqual({ reattached_count: 1, skipped_count: 0, skipped_process_ids: [] });
  });

  it("keeps the reservation of a process when a start gives its id back", () => {
    const manager = new ProcessManager<Fake>();
    manager.store(fake("10"));
    manager.release("10");
    expect(manager.has("10")).toBe(true);
  });

  it("prunes exited ones first, then the least recently used, never the eight last used and never kept ones (X18)", () => {
    const fill = (special: Record<string, Partial<Fake>>): Fake | null => {
      const manager = new ProcessManager<Fake>();
      for (let index = 0; index < 12; index += 1) manager.store(fake(String(index), { lastUsedMs: index, ...special[String(index)] }));
      return manager.pruneCandidate();
    };
    expect(fill({ "2": { exited: true } })?.processId).toBe("2");
    expect(fill({ "1": { exited: true }, "3": { exited: true } })?.processId).toBe("1");
    expect(fill({})?.processId).toBe("0");
    expect(fill({ "11": { exited: true } })?.processId).toBe("0");
    expect(fill({ "0": { keep: true } })?.processId).toBe("1");
    expect(fill({ "0": { keep: true }, "1": { keep: true }, "2": { keep: true }, "3": { keep: true } })).toBeNull();
  });
});

describe("DetachedStore", () => {
  it("keeps one process a key: the newer one; the older one is handed out to be ended (X5)", () => {
    const store = new DetachedStore<Fake>();
    expect(store.park([fake("1", { name: "old" })])).toEqual([]);
    expect(store.park([fake("1", { name: "new", generation: 2 })]).map((entry) => entry.name)).toEqual(["old"]);
    expect(store.list().map((entry) => entry.name)).toEqual(["new"]);
  });

  it("takes only the thread's own, in order, and nothing twice (X7, X8)", () => {
    const store = new DetachedStore<Fake>();
    store.park([fake("2"), fake("10"), fake("1", { threadId: "other" })]);
    expect(store.take("t").map((entry) => entry.processId)).toEqual(["10", "2"]);
    expect(store.take("t")).toEqual([]);
    expect(store.list().map((entry) => entry.threadId)).toEqual(["other"]);
  });

  it("gives a skipped process back, unless a newer one took its key: then the older is to be ended (Y14, G5)", () => {
    const store = new DetachedStore<Fake>();
    const [older, newer] = [fake("1", { name: "older" }), fake("1", { name: "newer", generation: 2 })];
    expect(store.putBack([older])).toEqual([]);
    store.take("t");
    store.park([newer]);
    expect(store.putBack([older])).toEqual([older]);
    expect(store.list()).toEqual([newer]);
    store.take("t");
    store.park([older]);
    expect(store.putBack([newer])).toEqual([older]);
    expect(store.list()).toEqual([newer]);
  });

  it("loses nothing and doubles nothing whatever is moved in whatever order (Y13)", () => {
    const step = fc.record({ kind: fc.constantFrom("store", "detach", "reattach", "clean"), id: fc.integer({ min: 1, max: 6 }) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const manager = new ProcessManager<Fake>();
        const store = new DetachedStore<Fake>();
        const live = new Set<Fake>();
        const end = (entries: readonly Fake[]): void => entries.forEach((entry) => live.delete(entry));
        let generation = 0;
        for (const { kind, id } of steps) {
          if (kind === "store" && !manager.has(String(id))) {
            const entry = fake(String(id), { generation: (generation += 1) });
            live.add(entry);
            manager.store(entry);
          } else if (kind === "detach") end(store.park(manager.export()));
          else if (kind === "reattach") end(store.putBack(manager.import(store.take("t")).skipped));
          else if (kind === "clean") end(store.take("t"));
          const places = [...manager.list(), ...store.list()];
          expect(new Set(places)).toEqual(live);
          expect(places.length).toBe(live.size);
        }
      }),
    );
  });
});

describe("HeadTailBuffer", () => {
  it("keeps the first and the last bytes of more than it holds (X17)", () => {
    const buffer = new HeadTailBuffer(1 << 20);
    const whole = Buffer.from(Array.from({ length: 3 << 20 }, (_, index) => index % 251));
    for (let at = 0; at < whole.length; at += 7777) buffer.push(whole.subarray(at, at + 7777));
    expect(buffer.size).toBe(1 << 20);
    const { head, tail, dropped } = buffer.drain();
    expect(head.equals(whole.subarray(0, 1 << 19))).toBe(true);
    expect(tail.equals(whole.subarray(whole.length - (1 << 19)))).toBe(true);
    expect(dropped).toBe(2 << 20);
    expect([buffer.size, buffer.dropped]).toEqual([0, 0]);
  });

  it("does so for every capacity and every cut (X17)", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 12 }), fc.array(fc.uint8Array({ maxLength: 9 }), { maxLength: 20 }), (capacity, chunks) => {
        const buffer = new HeadTailBuffer(capacity);
        for (const chunk of chunks) buffer.push(Buffer.from(chunk));
        const whole = Buffer.concat(chunks);
        const headMax = Math.floor(capacity / 2);
        const { head, tail, dropped } = buffer.snapshot();
        expect(head).toEqual(whole.subarray(0, headMax));
        const rest = whole.subarray(headMax);
        expect(tail).toEqual(rest.subarray(Math.max(0, rest.length - (capacity - headMax))));
        expect(head.length + tail.length + dropped).toBe(whole.length);
      }),
    );
  });
});

describe("text of output", () => {
  it("lets the bytes of a character wait for each other wherever the stream is cut (X24)", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 20 }), fc.nat(200), (text, cut) => {
        const bytes = Buffer.from(text);
        const at = bytes.length === 0 ? 0 : cut % bytes.length;
        const whole = wholeCharacters(bytes.subarray(0, at));
        expect(at - whole).toBeLessThanOrEqual(3);
        expect(decodeText(bytes.subarray(0, whole)) + decodeText(bytes.subarray(whole))).toBe(text);
      }),
    );
  });

  it("replaces what is no character and goes on (X24)", () => {
    expect(wholeCharacters(Buffer.from([0x61, 0xff]))).toBe(2);
    expect(wholeCharacters(Buffer.from([0x80, 0x80, 0x80, 0x80]))).toBe(4);
    expect(decodeText(Buffer.from([0x61, 0xff, 0x62]))).toBe("a\ufffdb");
  });

  it("cuts the middle out of what is too long, within the budget, saying how much and how many lines", () => {
    const text = Array.from({ length: 5000 }, (_, index) => `line ${index} ä`).join("\n");
    const cut = truncateText(text, 100);
    expect(cut.truncated).toBe(true);
    expect(cut.text).toContain("Total output lines: 5000");
    expect(cut.text).toContain("line 0 ä");
    expect(cut.text.endsWith("line 4999 ä")).toBe(true);
    expect(cut.text).not.toContain("\ufffd");
    expect(Number(/(\d+) tokens omitted/.exec(cut.text)?.[1])).toBeGreaterThanOrEqual(approximateTokens(text) - 101);
    expect(truncateText("abcd", 1)).toEqual({ text: "abcd", truncated: false });
  });

  it("keeps waiting times in their bounds (X21)", () => {
    expect([clampYield("start", 1), clampYield("start", 120_000), clampYield("poll", 100)]).toEqual([250, 30_000, 5_000]);
    expect([clampYield("start", undefined), clampYield("write", undefined), clampYield("poll", 600_000)]).toEqual([10_000, 250, 300_000]);
  });
});

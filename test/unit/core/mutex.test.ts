import { describe, expect, it } from "vitest";
import { KeyedMutex } from "../../../src/lib/core/index.ts";

/** Work that ends when it is told to. */
function gate(): { work: () => Promise<void>; open: () => void } {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  return { work: async () => void (await promise), open: () => resolve(undefined) };
}

describe("KeyedMutex", () => {
  it("lets callers of one key in one after the other, in order, and others at once", async () => {
    const mutex = new KeyedMutex();
    const log: string[] = [];
    const first = gate();
    const all = [
      mutex.run("a", async () => (await first.work(), log.push("a1"))),
      mutex.run("a", () => log.push("a2")),
      mutex.run("a", () => log.push("a3")),
    ];
    await mutex.run("b", () => log.push("b1"));
    expect(log).toEqual(["b1"]);
    first.open();
    await Promise.all(all);
    expect(log).toEqual(["b1", "a1", "a2", "a3"]);
    expect(mutex.isHeld("a")).toBe(false);
  });

  it("goes on after a holder that throws", async () => {
    const mutex = new KeyedMutex();
    const failed = mutex.run("a", () => Promise.reject(new Error("broken")));
    const next = mutex.run("a", () => "ran");
    await expect(failed).rejects.toThrow("broken");
    expect(await next).toBe("ran");
  });

  it("forgets a waiter that aborts, and never starts one that came aborted", async () => {
    const mutex = new KeyedMutex();
    const first = gate();
    const holder = mutex.run("a", first.work);
    const stop = new AbortController();
    let started = false;
    const waiter = mutex.run("a", () => (started = true), { signal: stop.signal });
    const behind = mutex.run("a", () => "behind");
    stop.abort(new Error("gone"));
    await expect(waiter).rejects.toThrow("gone");
    await expect(mutex.run("b", () => (started = true), { signal: stop.signal })).rejects.toThrow("gone");
    first.open();
    await holder;
    expect(await behind).toBe("behind");
    expect(started).toBe(false);
    expect([mutex.isHeld("a"), mutex.isHeld("b")]).toEqual([false, false]);
  });
});

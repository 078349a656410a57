import { describe, expect, it } from "vitest";
import { taskKey } from "../../../src/lib/core/index.ts";
import { type Witness, brokenPromise } from "../../support/chaos/promise.ts";

const TASK = "01980000-0000-7000-8000-00000000aaaa";
const beats = Array.from({ length: 100 }, (_, index) => index * 200);

function witness(over: Partial<Witness>, read?: number): Witness {
  return { deaths: [500, 10_000], beats, troubles: [], hosted: false, tasks: new Map([[taskKey(TASK), { picked: 1000, read }]]), ...over };
}

describe("a success that was done again, in the chaos run", () => {
  it("is a broken promise from the moment the daemon had read it, however soon it died", () => {
    expect(brokenPromise(TASK, 9990, witness({}, 9995))).toContain("had read it 5 ms before it died");
    expect(brokenPromise(TASK, 9990, witness({ beats: [] }, 9995))).not.toBeNull();
  });

  it("is one when a daemon whose loop turned had two seconds to read it", () => {
    expect(brokenPromise(TASK, 7000, witness({}))).toContain("lived on for 3000 ms");
    expect(brokenPromise(TASK, 8500, witness({}))).toBeNull();
  });

  it("is none when the loop stood still, when the state file could not be written, or when its daemon was dead already", () => {
    expect(brokenPromise(TASK, 7000, witness({ beats: beats.filter((at) => at < 7500 || at > 9000) }))).toBeNull();
    expect(brokenPromise(TASK, 7000, witness({ troubles: [{ from: 6000, until: 7500 }] }))).toBeNull();
    expect(brokenPromise(TASK, 9000, witness({ troubles: [{ from: 6000, until: 9500 }] }, 9100))).toBeNull();
    expect(brokenPromise(TASK, 9000, witness({ troubles: [{ from: 10_100, until: 12_000 }] }, 9100))).not.toBeNull();
    expect(brokenPromise(TASK, 10_700, witness({}))).toBeNull();
  });

  it("is always one with an exec host, which has what the agent said, but for a state file that could not be written", () => {
    expect(brokenPromise(TASK, 9990, witness({ hosted: true }))).toContain("its host had it");
    expect(brokenPromise(TASK, 9990, witness({ hosted: true, beats: [] }))).not.toBeNull();
    expect(brokenPromise(TASK, 9000, witness({ hosted: true, troubles: [{ from: 6000, until: 9500 }] }))).toBeNull();
  });

  it("is one when nobody is known to have taken the task up", () => {
    expect(brokenPromise("another", 1, witness({}))).toBe("no daemon took it up");
  });
});

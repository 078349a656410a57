import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  MulticaError, backoff, errorText, isMulticaError, isObject, isUuid, parseJson, sanitizeName, sanitizeSkillName, shortId, systemCode, taskKey, uuid, uuid7,
} from "../../../src/lib/core/index.ts";

describe("ids", () => {
  it("of version 7 are UUIDs in the order of their time", () => {
    fc.assert(
      fc.property(fc.nat({ max: 2 ** 47 }), fc.nat({ max: 2 ** 20 }), (time, later) => {
        const [a, b] = [uuid7(time), uuid7(time + later + 1)];
        expect([isUuid(a), isUuid(b), a < b, a[14]]).toEqual([true, true, true, "7"]);
      }),
    );
    expect(isUuid(uuid())).toBe(true);
  });

  it("have a short form for logs and a key that differs within a minute", () => {
    const id = "01931a2b-0000-7000-8000-0000000000aa";
    expect([shortId(id), taskKey(id)]).toEqual(["01931a2b", "0000000000aa"]);
  });

  it("become names that are safe in paths and branches", () => {
    fc.assert(
      fc.property(fc.string(), (name) => {
        expect(sanitizeName(name)).toMatch(/^[a-z0-9](?:[a-z0-9-]{0,28}[a-z0-9])?$/);
        expect(sanitizeSkillName(name)).toMatch(/^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/);
      }),
    );
  });
});

describe("errors", () => {
  it("are known by their code, also from another copy of the module", () => {
    const error = new MulticaError("x", "text", { exit: 4, suggestions: ["do"] });
    expect([isMulticaError(error), isMulticaError(error, "x"), isMulticaError(error, "y"), isMulticaError(new Error("x")), isMulticaError(null)]).toEqual([true, true, false, false, false]);
    expect(error).toMatchObject({ exit: 4, suggestions: ["do"], retry: "never" });
  });

  it("tell their causes in one line, each once", () => {
    const inner = Object.assign(new Error("connect ECONNREFUSED\n 127.0.0.1"), { code: "ECONNREFUSED" });
    const outer = new MulticaError("x", "server away", { cause: new Error("fetch failed", { cause: inner }) });
    expect(errorText(outer)).toBe("server away: fetch failed: connect ECONNREFUSED 127.0.0.1");
    expect(errorText(new Error("a: b", { cause: new Error("b") }))).toBe("a: b");
    expect([errorText(undefined), errorText("text"), errorText(new Error(""))]).toEqual(["unknown error", "text", "unknown error"]);
    expect(systemCode(outer)).toBe("ECONNREFUSED");
  });

  it("with a circle of causes come to an end", () => {
    const error = new Error("round");
    error.cause = error;
    expect(errorText(error)).toBe("round");
    expect(systemCode(error)).toBeUndefined();
  });
});

describe("backoff", () => {
  it("doubles up to its limit and stays within its jitter", () => {
    const plain = backoff({ baseMs: 100, maxMs: 1000 });
    expect([0, 1, 2, 3, 4, 1000].map(plain)).toEqual([100, 200, 400, 800, 1000, 1000]);
    fc.assert(
      fc.property(fc.nat({ max: 50 }), fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (attempt, random) => {
        const ms = backoff({ baseMs: 100, maxMs: 1000, jitter: 0.2, random: () => random })(attempt);
        expect(ms).toBeGreaterThanOrEqual(80);
        expect(ms).toBeLessThanOrEqual(1200);
      }),
    );
  });
});

describe("json", () => {
  it("answers undefined for what is no JSON", () => {
    expect([parseJson("{"), parseJson(""), parseJson('{"a":1}'), parseJson("null")]).toEqual([undefined, undefined, { a: 1 }, null]);
    expect([isObject({}), isObject([]), isObject(null), isObject("x")]).toEqual([true, false, false, false]);
  });
});

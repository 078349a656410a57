import { describe, expect, it } from "vitest";
import { coAuthorEnabled } from "../../../src/lib/repos/index.ts";

describe("coAuthorEnabled (repocache.md 20, case 47)", () => {
  it.each([
    [undefined, true],
    [null, true],
    [{}, true],
    ["nonsense", true],
    [[], true],
    [{ co_authored_by_enabled: "no" }, true],
    [{ co_authored_by_enabled: true }, true],
    [{ co_authored_by_enabled: false }, false],
    [{ github_enabled: true, co_authored_by_enabled: false }, false],
    [{ github_enabled: false }, false],
    [{ github_enabled: false, co_authored_by_enabled: true }, false],
  ])("for %j is %j", (settings, expected) => {
    expect(coAuthorEnabled(settings)).toBe(expected);
  });
});

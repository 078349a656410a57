import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { asksForHelp, normalizeArgv, normalizeBooleans, wantsErrorDocument } from "../../../src/cli/argv.ts";

const words = (line: string): string[] => line.split(" ").filter((word) => word !== "");

describe("normalizeArgv", () => {
  it.each([
    ["--profile p daemon status", "daemon status --profile p"],
    ["daemon --profile p status", "daemon status --profile p"],
    ["daemon status --profile p", "daemon status --profile p"],
    ["issue --profile=p get X --json", "issue get X --profile=p --json"],
    ["--debug issue get X --content --profile y", "issue get X --debug --content --profile y"],
    ["issue get -- --profile p", "issue get -- --profile p"],
    ["--profile p", ""],
    ["--profile p --help", "--help"],
    ["--json -h", "-h"],
    ["--profile p --version", "--version"],
    ["login --token", "login --token="],
    ["login --token --json", "login --token= --json"],
    ["login --token -", "login --token -"],
    ["login --token mul_x", "login --token mul_x"],
    ["auth login --token", "auth login --token="],
    ["repo checkout git@host:team/repo.git", "repo checkout git@host:team/repo.git"],
  ])("turns «%s» into «%s»", (line, expected) => {
    expect(normalizeArgv(words(line))).toEqual(words(expected));
  });

  it("loses and invents nothing, and touches nothing behind the first flag of a command", () => {
    const anything = fc.constantFrom("issue", "--profile", "p", "--json", "--content", "x y", "--", "-", "--output=json", "--title=--json");
    const front = fc.constantFrom(["get"], ["--profile", "p"], ["--json"], ["--output=json"], ["-"]);
    fc.assert(
      fc.property(fc.array(front, { maxLength: 4 }), fc.array(anything, { maxLength: 6 }), (fronts, rest) => {
        const tail = ["--content", ...rest];
        const result = normalizeArgv(["issue", ...fronts.flat(), ...tail]);
        expect(result.slice(-tail.length)).toEqual(tail);
        expect([...result].sort()).toEqual(["issue", ...fronts.flat(), ...tail].sort());
      }),
    );
  });
});

describe("normalizeBooleans", () => {
  const flags = [
    { name: "enabled", allowNo: false },
    { name: "color", allowNo: true },
  ];

  it("understands explicit words", () => {
    expect(normalizeBooleans(["--enabled=true", "--color=F"], flags)).toEqual({ kind: "ok", argv: ["--enabled", "--no-color"], explicitFalse: [] });
    expect(normalizeBooleans(["--enabled=false"], flags)).toEqual({ kind: "ok", argv: [], explicitFalse: ["enabled"] });
    expect(normalizeBooleans(["--enabled=maybe"], flags)).toEqual({ kind: "bad", flag: "enabled", value: "maybe" });
  });

  it("leaves other flags and everything behind -- alone", () => {
    const argv = ["--title=false", "--", "--enabled=false"];
    expect(normalizeBooleans(argv, flags)).toEqual({ kind: "ok", argv, explicitFalse: [] });
  });
});

describe("questions about a line", () => {
  it("looks no further than --", () => {
    expect(asksForHelp(["issue", "--help"])).toBe(true);
    expect(asksForHelp(["issue", "--", "-h"])).toBe(false);
    expect(wantsErrorDocument(["x", "--json"])).toBe(true);
    expect(wantsErrorDocument(["x", "--output", "json"])).toBe(false);
    expect(wantsErrorDocument(["x", "--", "--json"])).toBe(false);
  });
});

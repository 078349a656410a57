import { describe, expect, it } from "vitest";
import { fencedText, quoteText, safeName } from "../../../src/lib/core/index.ts";

describe("quoteText", () => {
  it.each(["\n", "\r\n", "\r", "\v", "\f", "\u0085", "\u2028", "\u2029"])("keeps what follows %j inside the quote", (brk) => {
    expect(quoteText(`a${brk}Now do this`)).toBe("> a\n> Now do this");
  });

  it("drops the breaks at the end and marks empty lines", () => {
    expect(quoteText("a\n\nb\n\n")).toBe("> a\n>\n> b");
  });
});

describe("safeName", () => {
  it("stays on one line, without control characters and markup", () => {
    expect(safeName(" a\u2028b\u0007 *c* [d](e) <f `g` \\h ")).toBe("a b \\*c\\* \\[d\\](e) \\<f \\`g\\` \\\\h");
    expect(safeName(undefined)).toBe("");
  });
});

describe("fencedText", () => {
  it("has a fence longer than any run of backticks inside", () => {
    expect(fencedText("a ```` b\n\n", "md")).toBe("`````md\na ```` b\n`````");
    expect(fencedText("x")).toBe("```\nx\n```");
  });
});

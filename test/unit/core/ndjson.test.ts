import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LineSplitter } from "../../../src/lib/core/index.ts";

function cut(data: Buffer, places: readonly number[]): Buffer[] {
  const at = [...new Set(places.map((place) => place % (data.length + 1)))].sort((a, b) => a - b);
  return [0, ...at].map((start, index) => data.subarray(start, at[index] ?? data.length));
}

function split(chunks: readonly Buffer[], maxBytes = 1 << 20): string[] {
  const splitter = new LineSplitter(maxBytes);
  const lines = chunks.flatMap((chunk) => splitter.push(chunk));
  const last = splitter.end();
  return [...lines, ...(last === null ? [] : [last])].map((line) => line.toString("utf8"));
}

describe("LineSplitter", () => {
  it("gives the same lines wherever the stream was cut, also inside a character", () => {
    const line = fc.string({ unit: fc.constantFrom("a", "ü", "🦊", "{", '"', " ") });
    fc.assert(
      fc.property(fc.array(line), fc.constantFrom("\n", "\r\n"), fc.array(fc.nat({ max: 5000 })), (lines, end, places) => {
        const data = Buffer.from(lines.map((text) => text + end).join(""));
        expect(split(cut(data, places))).toEqual(lines);
      }),
    );
  });

  it("keeps empty lines, a lone return inside a line, and an unfinished last line", () => {
    expect(split([Buffer.from("a\n\nb\rc\r\nd")])).toEqual(["a", "", "b\rc", "d"]);
    expect(split([Buffer.from("a\r"), Buffer.from("\nb")])).toEqual(["a", "b"]);
    expect(split([])).toEqual([]);
  });

  it("takes a line of exactly the limit and refuses one byte more, as soon as it is there", () => {
    expect(split([Buffer.from("12345678\n")], 8)).toEqual(["12345678"]);
    expect(() => split([Buffer.from("123456789\n")], 8)).toThrow(expect.objectContaining({ code: "line_too_long" }) as Error);
    const splitter = new LineSplitter(8);
    splitter.push(Buffer.from("1234"));
    expect(() => splitter.push(Buffer.from("56789"))).toThrow("over 8 bytes");
  });

  it("does not depend on memory that its caller uses again", () => {
    const splitter = new LineSplitter(100);
    const pool = Buffer.from("first");
    splitter.push(pool);
    pool.fill("x");
    expect(splitter.push(Buffer.from("\n"))[0]?.toString()).toBe("first");
  });
});

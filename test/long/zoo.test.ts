import { describe, expect, it } from "vitest";
import { ZOO_ENDS, runZoo, wholeZoo } from "../support/zoo.ts";

describe("twelve nasty children", () => {
  it.each(ZOO_ENDS)("are all gone after: %s", async (end) => {
    const results = await runZoo(wholeZoo().filter((one) => one.end === end), 3);
    const slowest = Math.max(...results.map((result) => result.reportedMs));
    const freed = Math.max(...results.map((result) => result.freedMs));
    process.stderr.write(`${end}: reported at most ${slowest} ms after the final frame, slot free at most ${freed} ms later\n`);
    expect(results).toHaveLength(12);
  });
});

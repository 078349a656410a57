import { describe, expect, it } from "vitest";
import { ZOO_ENDS, type ZooResult, runZoo, wholeZoo } from "../support/zoo.ts";

function tell(what: string, results: readonly ZooResult[]): void {
  const slowest = Math.max(...results.map((result) => result.reportedMs));
  const freed = Math.max(...results.map((result) => result.freedMs));
  process.stderr.write(`${what}: reported at most ${slowest} ms after the final frame, slot free at most ${freed} ms later\n`);
}

describe("twelve nasty children", () => {
  it.each(ZOO_ENDS)("are all gone after: %s", async (end) => {
    const results = await runZoo(wholeZoo().filter((one) => one.end === end), 3);
    tell(end, results);
    expect(results).toHaveLength(12);
  });

  // A daemon that stops leaves a hosted agent to the next one: that is another test's.
  it.each(ZOO_ENDS.filter((end) => end !== "daemon stop"))("of an agent under a host are all gone after: %s", async (end) => {
    const results = await runZoo(wholeZoo().filter((one) => one.end === end).map((one) => ({ ...one, hosted: true })), 3);
    tell(`${end}, under a host`, results);
    expect(results).toHaveLength(12);
  });
});

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const root = join(import.meta.dirname, "..");

/** A test file below `test` and a part of its text that proves the case: as a rule a title. */
export type Proof = readonly [file: string, title: string];

/** Every acceptance case of a page has a test that is there, or a reason why it cannot apply (`leftOut`). */
export function casesAreProven(options: {
  readonly what: string;
  /** Letter of the cases → how many there are. */
  readonly counts: Readonly<Record<string, number>>;
  readonly proven: Readonly<Record<string, Proof | readonly Proof[]>>;
  readonly leftOut: Readonly<Record<string, string>>;
}): void {
  describe(options.what, () => {
    it("are each proven by a test or left out with a reason", () => {
      const all = Object.entries(options.counts).flatMap(([letter, count]) => Array.from({ length: count }, (_, at) => `${letter}-${at + 1}`));
      expect([...Object.keys(options.proven), ...Object.keys(options.leftOut)].toSorted()).toEqual(all.toSorted());
    });

    it.each(Object.entries(options.proven))("%s has the test it names", (_id, proof) => {
      const proofs = (typeof proof[0] === "string" ? [proof] : proof) as readonly Proof[];
      for (const [file, title] of proofs) expect(readFileSync(join(root, file), "utf8")).toContain(title);
    });
  });
}

import { describe, expect, it } from "vitest";
import { runZoo, zooDiagonal } from "../../../support/zoo.ts";

describe("an agent with a nasty child", () => {
  it("is reported in time, loses the child, and frees its slot: every child once, every end twice", async () => {
    const results = await runZoo(zooDiagonal(), 4);
    expect(results).toHaveLength(12);
  }, 120_000);
});

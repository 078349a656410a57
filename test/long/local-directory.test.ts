import { describe, it } from "vitest";
import { machine } from "../support/execenv.ts";
import { roundTrip } from "../support/local-tasks.ts";

describe("tasks in a user's directory", () => {
  it("give back 1,500 seeded random trees exactly", { timeout: 480_000 }, async () => {
    const place = machine();
    for (let seed = 1; seed <= 1500; seed += 1) await roundTrip(place, seed);
  });
});

import { describe, expect, it } from "vitest";
import { offered } from "../../../../src/lib/daemon/task/model-choice.ts";

const levels = (...values: string[]) => ({ supported_levels: values.map((value) => ({ value, label: value })) });
const models = [
  { id: "big", label: "Big", default: true, thinking: levels("low", "high"), service_tiers: [{ id: "priority", name: "Fast" }] },
  { id: "small", label: "Small", thinking: levels("low") },
  { id: "plain", label: "Plain" },
];

function choose(wanted: { model?: string; thinking?: string; tier?: string }, spec: { ownDefaultModel?: boolean } = {}, list = models) {
  const dropped: string[] = [];
  const choice = offered(spec, { model: "", thinking: "", tier: "", ...wanted }, list, (what, value) => dropped.push(`${what} ${value}`));
  return { ...choice, dropped };
}

describe("the choice of model, level and tier", () => {
  it("keeps a level that the model has, the default model's when none is chosen", () => {
    expect(choose({ model: "big", thinking: "high" })).toMatchObject({ thinking: "high", dropped: [] });
    expect(choose({ thinking: "high" })).toMatchObject({ thinking: "high", dropped: [] });
  });

  it("drops what the model does not have, and says so", () => {
    expect(choose({ model: "small", thinking: "high" })).toEqual({ model: "small", thinking: "", tier: "", dropped: ["thinking level high"] });
    expect(choose({ model: "unknown", thinking: "low" })).toMatchObject({ model: "unknown", thinking: "", dropped: ["thinking level low"] });
    expect(choose({ model: "plain", thinking: "low" })).toMatchObject({ thinking: "" });
  });

  it("drops a level where the user's configuration decides the model", () => {
    expect(choose({ thinking: "high" }, { ownDefaultModel: true })).toMatchObject({ thinking: "", dropped: ["thinking level high"] });
    expect(choose({ model: "big", thinking: "high" }, { ownDefaultModel: true })).toMatchObject({ thinking: "high" });
  });

  it("keeps a level when no list of levels exists: the session itself checks it", () => {
    expect(choose({ model: "plain", thinking: "high" }, {}, [{ id: "plain", label: "Plain" }] as never)).toMatchObject({ thinking: "high", dropped: [] });
  });

  it("takes a service tier only for a named model that has it", () => {
    expect(choose({ model: "big", tier: "priority" })).toMatchObject({ tier: "priority", dropped: [] });
    expect(choose({ model: "small", tier: "priority" })).toMatchObject({ tier: "", dropped: ["service tier priority"] });
    expect(choose({ tier: "priority" })).toMatchObject({ tier: "", dropped: ["service tier priority"] });
  });
});

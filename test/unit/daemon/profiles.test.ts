import { describe, expect, it } from "vitest";
import type { ProfileResolution } from "../../../src/lib/agents/index.ts";
import { profileSignature, resolveProfiles } from "../../../src/lib/daemon/profiles.ts";
import { RuntimeRegistry } from "../../../src/lib/daemon/runtimes.ts";
import { silentLogger } from "../../../src/lib/platform/logger.ts";
import type { RuntimeProfile } from "../../../src/lib/wire/index.ts";

const profile = (changes: Partial<RuntimeProfile> = {}): RuntimeProfile => ({
  id: "p1",
  display_name: "One",
  protocol_family: "acp",
  command_name: "agent",
  fixed_args: ["a", "b"],
  visibility: "workspace",
  enabled: true,
  ...changes,
});

describe("the profile signature", () => {
  it("does not depend on order or display texts", () => {
    const [one, two] = [profile(), profile({ id: "p2" })];
    expect(profileSignature([one, two])).toBe(profileSignature([two, one]));
    expect(profileSignature([profile({ display_name: "Else", description: "x" })])).toBe(profileSignature([one]));
  });

  it.each<[string, Partial<RuntimeProfile>]>([
    ["enabled", { enabled: false }],
    ["family", { protocol_family: "codex" }],
    ["command", { command_name: "other" }],
    ["visibility", { visibility: "private" }],
    ["arguments", { fixed_args: ["a"] }],
    ["argument borders", { fixed_args: ["ab"] }],
    ["id", { id: "p2" }],
  ])("changes with the %s", (_what, changes) => {
    expect(profileSignature([profile(changes)])).not.toBe(profileSignature([profile()]));
  });

  it("is known for an empty list", () => {
    expect(profileSignature([])).not.toBe("");
    expect(profileSignature([])).not.toBe(profileSignature([profile()]));
  });
});

describe("resolving profiles", () => {
  it("separates what can run, what is reported and what is only skipped", async () => {
    const outcomes: Record<string, ProfileResolution> = {
      good: { kind: "found", provider: "acp", path: "/bin/agent", version: "1.0.0" },
      bad: { kind: "failed", reason: "command not found on PATH: agent" },
      empty: { kind: "skipped", reason: "no command" },
    };
    const list = ["good", "bad", "empty"].map((id) => profile({ id }));
    const resolved = await resolveProfiles(list, ({ id }) => Promise.resolve(outcomes[id] ?? expect.unreachable()), silentLogger);
    expect(resolved.launches.map(({ entry }) => entry)).toEqual([{ provider: "acp", path: "/bin/agent", version: "1.0.0", fixedArgs: ["a", "b"], profileId: "good" }]);
    expect(resolved.failed).toEqual([{ profile_id: "bad", command_name: "agent", reason: "command not found on PATH: agent" }]);
  });
});

describe("the runtime registry", () => {
  const rows = (...ids: string[]): { id: string; name: string; provider: string; profileId: string | null }[] =>
    ids.map((id) => ({ id, name: id, provider: id.split("-")[0] ?? "", profileId: id.includes("@") ? (id.split("@")[1] ?? null) : null }));

  it("keeps one workspace object through every change", () => {
    const registry = new RuntimeRegistry();
    const state = registry.track("w", "W");
    const before = state.runtimeIds;
    registry.replace("w", rows("codex-1"));
    registry.remove("codex-1");
    registry.track("w", "Renamed");
    expect(registry.workspace("w")).toBe(state);
    expect(state.name).toBe("Renamed");
    expect(before).toEqual([]);
  });

  it("replaces the set, reports what was dropped and what was never seen before", () => {
    const registry = new RuntimeRegistry();
    registry.track("w", "W");
    expect(registry.replace("w", rows("codex-1", "acp-1@p"))).toEqual({ dropped: [], fresh: ["codex-1", "acp-1@p"] });
    expect(registry.replace("w", rows("codex-1", "acp-2@p"))).toEqual({ dropped: ["acp-1@p"], fresh: ["acp-2@p"] });
    expect(registry.replace("w", rows("codex-1", "acp-1@p"))).toEqual({ dropped: ["acp-2@p"], fresh: [] });
    expect(registry.ids()).toEqual(["acp-1@p", "codex-1"]);
    expect(registry.replace("unknown", rows("x-1"))).toBeNull();
  });

  it("keeps a row that the caller holds on to, unless its provider came back under another id", () => {
    const registry = new RuntimeRegistry();
    registry.track("w", "W");
    registry.replace("w", rows("codex-1", "claude-1"));
    expect(registry.replace("w", rows("claude-2"), () => true)?.dropped).toEqual(["claude-1"]);
    expect(registry.workspace("w")?.runtimeIds).toEqual(["claude-2", "codex-1"]);
  });

  it("launches a custom runtime by its own command and falls back to the built-in one", () => {
    const registry = new RuntimeRegistry();
    registry.track("w", "W");
    registry.replace("w", rows("acp-1@p", "acp-2@q", "codex-1"));
    const own = { provider: "acp", path: "/own", version: "1", fixedArgs: ["x"], profileId: "p" };
    const builtin = { provider: "acp", path: "/builtin", version: "2", fixedArgs: [], profileId: null };
    registry.setProfileLaunch("p", own);
    registry.setBuiltins(new Map([["acp", builtin]]));
    expect(registry.launchEntry("acp-1@p")).toBe(own);
    expect(registry.launchEntry("acp-2@q")).toBe(builtin);
    expect(registry.launchEntry("codex-1")).toBeNull();
    expect(registry.launchEntry("unknown")).toBeNull();
  });

  it("forgets a workspace with its runtimes", () => {
    const registry = new RuntimeRegistry();
    registry.track("w", "W");
    registry.replace("w", rows("codex-1"));
    expect(registry.forget("w")).toEqual(["codex-1"]);
    expect([registry.size, registry.workspaces().length]).toEqual([0, 0]);
  });
});

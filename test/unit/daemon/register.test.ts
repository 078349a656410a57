import { describe, expect, it } from "vitest";
import type { ProfileResolution } from "../../../src/lib/agents/index.ts";
import type { DaemonApi } from "../../../src/lib/api/daemon-api.ts";
import { Holds } from "../../../src/lib/daemon/holds.ts";
import { LIMITS } from "../../../src/lib/daemon/limits.ts";
import { Registrar } from "../../../src/lib/daemon/register.ts";
import type { ProbeRound } from "../../../src/lib/daemon/registration.ts";
import { RuntimeRegistry } from "../../../src/lib/daemon/runtimes.ts";
import { HeldClock } from "../../../src/lib/platform/index.ts";
import { silentLogger } from "../../../src/lib/platform/logger.ts";
import type { RegisterRequest, RuntimeProfile } from "../../../src/lib/wire/index.ts";

const profile = (id: string, changes: Partial<RuntimeProfile> = {}): RuntimeProfile =>
  ({ id, display_name: id, protocol_family: "acp", command_name: id, enabled: true, ...changes }) as RuntimeProfile;
const row = (id: string, provider: string, profileId: string | null = null) => ({ id, name: id, provider, status: "online", profile_id: profileId });

/** A registrar against a server of the test's making: it gives every runtime the id of its provider or profile. */
function world(providers: readonly string[] = ["codex"]) {
  const clock = new HeldClock();
  const runtimes = new RuntimeRegistry();
  runtimes.track("w", "W");
  const root = new AbortController();
  const holds = new Holds();
  const state = {
    providers: [...providers],
    profiles: [] as RuntimeProfile[] | Error,
    sent: [] as RegisterRequest[],
    deregistered: [] as { ids: readonly string[]; reasons: unknown }[],
    orphans: [] as string[],
    resolution: (one: RuntimeProfile): ProfileResolution => ({ kind: "found", provider: one.protocol_family, path: `/bin/${one.command_name}`, version: "1" }),
    answer: (body: RegisterRequest): Promise<unknown> =>
      Promise.resolve({ runtimes: (body.runtimes ?? []).map((one) => row(`${one.profile_id ?? one.type ?? ""}-1`, one.type ?? "", one.profile_id ?? null)) }),
  };
  const api = {
    register: (body: RegisterRequest) => {
      state.sent.push(body);
      return state.answer(body);
    },
    deregister: (ids: readonly string[], { reasons }: { reasons?: unknown }) => {
      state.deregistered.push({ ids, reasons });
      return Promise.resolve();
    },
    runtimeProfiles: () => (state.profiles instanceof Error ? Promise.reject(state.profiles) : Promise.resolve(state.profiles)),
    recoverOrphans: (id: string) => {
      state.orphans.push(id);
      return Promise.resolve({ orphaned: 0, retried: 0 });
    },
  } as unknown as DaemonApi;
  const round = (): ProbeRound => ({ agents: state.providers.map((provider) => ({ provider, path: "/bin/x", version: "1", fixedArgs: [], profileId: null, displayName: provider })), demotable: [] });
  const registrar = new Registrar({
    api,
    clock,
    limits: LIMITS,
    logger: silentLogger,
    runtimes,
    rootSignal: root.signal,
    daemonId: "d",
    identity: { legacyIds: [], deviceName: "", cliVersion: "0.4.24", launchedBy: "" },
    holds,
    probe: () => Promise.resolve(round()),
    resolveProfile: (one) => Promise.resolve(state.resolution(one)),
    onWorkspaceData: () => undefined,
    usesRuntime: () => false,
    servedElsewhere: () => Promise.resolve(new Set()),
    flushReports: () => Promise.resolve(true),
  });
  const ids = (): readonly string[] => runtimes.workspace("w")?.runtimeIds ?? [];
  return { clock, runtimes, root, holds, state, registrar, ids };
}

describe("custom profiles of a workspace", () => {
  it("that change are registered at once, without orphan recovery, and what they cost is deregistered [W-14]", async () => {
    const { state, registrar, ids } = world();
    state.profiles = [profile("p1")];
    await registrar.register("w", undefined, { recover: true });
    expect(ids()).toEqual(["codex-1", "p1-1"]);
    state.profiles = [profile("p2")];
    await registrar.refreshProfiles("w");
    expect(ids()).toEqual(["codex-1", "p2-1"]);
    expect(state.deregistered).toEqual([{ ids: ["p1-1"], reasons: undefined }]);
    expect(state.orphans).toEqual([]);
    await registrar.refreshProfiles("w");
    expect(state.sent).toHaveLength(2);
  });

  it("converge to zero and back on a machine without agents, and are quiet in between [W-15]", async () => {
    const { state, registrar, ids } = world([]);
    state.profiles = [profile("p1")];
    await registrar.register("w");
    expect(ids()).toEqual(["p1-1"]);
    state.profiles = [];
    await registrar.refreshProfiles("w");
    expect([ids(), state.deregistered]).toEqual([[], [{ ids: ["p1-1"], reasons: undefined }]]);
    await registrar.refreshProfiles("w");
    expect([state.sent.length, state.deregistered.length, state.orphans]).toEqual([1, 1, []]);
    state.profiles = [profile("p1")];
    await registrar.refreshProfiles("w");
    expect(ids()).toEqual(["p1-1"]);
  });

  it("cannot be asked for: built-in agents register, and the known signature stays [W-12]", async () => {
    const { state, registrar, runtimes, ids } = world();
    state.profiles = [profile("p1")];
    await registrar.register("w");
    const known = runtimes.workspace("w")?.profileSignature;
    state.profiles = new Error("404");
    await registrar.register("w");
    expect(ids()).toEqual(["codex-1"]);
    expect([known === "", runtimes.workspace("w")?.profileSignature]).toEqual([false, known]);
    await expect(registrar.refreshProfiles("w")).rejects.toThrow("404");
  });

  it("that change while an agent does not answer do not cost that agent its runtime [W-16]", async () => {
    const { state, registrar, ids } = world();
    await registrar.register("w");
    state.providers = [];
    state.profiles = [profile("p1")];
    await registrar.refreshProfiles("w");
    expect(ids().toSorted()).toEqual(["codex-1", "p1-1"]);
    state.profiles = [];
    await registrar.refreshProfiles("w");
    expect(ids()).toEqual(["codex-1"]);
  });

  it("without a command here are reported with the reason, next to what registers [W-11]", async () => {
    const { state, registrar, runtimes } = world();
    state.profiles = [profile("p1")];
    state.resolution = () => ({ kind: "failed", reason: "Configured path override is not executable: /x; command not found on PATH: p1" });
    await registrar.register("w");
    expect(state.sent[0]).toMatchObject({ runtimes: [{ type: "codex" }], failed_profiles: [{ profile_id: "p1", command_name: "p1", reason: "Configured path override is not executable: /x; command not found on PATH: p1" }] });
    const failed = (): readonly unknown[] | undefined => runtimes.workspace("w")?.failedProfiles;
    expect(failed()).toEqual([{ profile_id: "p1", command_name: "p1", reason: expect.stringContaining("not executable: /x") }]);
    await registrar.register("w", undefined, { builtinsOnly: true });
    expect(failed()).toHaveLength(1);
    state.profiles = [];
    await registrar.refreshProfiles("w");
    expect(failed()).toEqual([]);
  });
});

describe("a registration", () => {
  it("has one object for its workspace in every variant [W-10]", async () => {
    const { state, registrar, runtimes } = world();
    const before = runtimes.workspace("w");
    await registrar.register("w");
    await registrar.register("w", undefined, { builtinsOnly: true });
    state.profiles = [profile("p")];
    await registrar.refreshProfiles("w");
    state.providers = [];
    state.profiles = [];
    await registrar.refreshProfiles("w");
    expect(runtimes.workspace("w")).toBe(before);
  });

  it("whose answer brings back what was condemned meanwhile deregisters it again, with the reason [A-19]", async () => {
    const { state, registrar, holds, runtimes, ids } = world();
    const answered = Promise.withResolvers<unknown>();
    state.answer = () => answered.promise;
    const registering = registrar.register("w");
    holds.hold({ provider: "codex", evidence: "it is empty", code: "not_executable" });
    answered.resolve({ runtimes: [row("codex-1", "codex"), row("own", "codex", "p")] });
    await registering;
    expect(ids()).toEqual(["own"]);
    expect(state.deregistered).toEqual([{ ids: ["codex-1"], reasons: { "codex-1": { code: "not_executable", detail: "it is empty" } } }]);
    expect(runtimes.workspace("w")?.sentVersions.size).toBe(0);
  });

  it("that adds built-in agents leaves custom rows of the answer alone and replaces an id in place", async () => {
    const { state, registrar, ids } = world();
    state.profiles = [profile("p1")];
    await registrar.register("w");
    state.answer = () => Promise.resolve({ runtimes: [row("codex-2", "codex"), row("other", "acp", "p9")] });
    await registrar.register("w", undefined, { builtinsOnly: true });
    expect(ids().toSorted()).toEqual(["codex-2", "p1-1"]);
  });

  it("goes on although the loop that asked for it ended, and ends with the daemon [W-9]", async () => {
    const { state, registrar, root, clock } = world();
    state.answer = () => new Promise(() => undefined);
    const registering = registrar.register("w");
    const second = registrar.register("w");
    await clock.advance(0);
    root.abort(new Error("stop"));
    await expect(second).rejects.toThrow("stop");
    void registering.catch(() => undefined);
    expect(state.sent).toHaveLength(1);
  });

  it("of a workspace that was forgotten meanwhile changes nothing", async () => {
    const { state, registrar, runtimes } = world();
    const answered = Promise.withResolvers<unknown>();
    state.answer = () => answered.promise;
    const registering = registrar.register("w");
    runtimes.forget("w");
    answered.resolve({ runtimes: [row("codex-1", "codex")] });
    expect(await registering).toEqual({ kind: "unknown" });
    expect(runtimes.size).toBe(0);
  });
});

import { describe, expect, it, onTestFinished } from "vitest";
import { ClaimBarrier } from "../../../src/lib/daemon/barrier.ts";
import { Holds, type OfflineReason, type Verdict } from "../../../src/lib/daemon/holds.ts";
import { LIMITS } from "../../../src/lib/daemon/limits.ts";
import { runDiscovery } from "../../../src/lib/daemon/loops/discovery.ts";
import type { ProbeRound } from "../../../src/lib/daemon/registration.ts";
import { RuntimeRegistry } from "../../../src/lib/daemon/runtimes.ts";
import { HeldClock } from "../../../src/lib/platform/index.ts";
import { silentLogger } from "../../../src/lib/platform/logger.ts";

const MINUTE = 60_000;

function world(workspaces: readonly string[] = ["w1"]) {
  const clock = new HeldClock();
  const runtimes = new RuntimeRegistry();
  for (const id of workspaces) {
    runtimes.track(id, id);
    runtimes.replace(id, [{ id: `${id}-own`, name: "own", provider: "acp", profileId: "p1" }]);
  }
  const root = new AbortController();
  const barrier = new ClaimBarrier();
  const holds = new Holds();
  const start = clock.monotonic();
  const state = {
    clock,
    runtimes,
    barrier,
    holds,
    located: [] as string[],
    usable: new Map<string, string>(),
    demotable: [] as Verdict[],
    probes: [] as number[],
    rechecks: [] as number[],
    registered: [] as string[],
    deregistered: [] as { ids: readonly string[]; reason: OfflineReason | null }[],
    failing: new Set<string>(),
    syncs: 0,
  };
  const agent = (provider: string): ProbeRound["agents"][number] => ({ provider, path: `/bin/${provider}`, version: state.usable.get(provider) ?? "", fixedArgs: [], profileId: null, displayName: provider });
  const done = runDiscovery({
    clock,
    limits: LIMITS,
    logger: silentLogger,
    runtimes,
    barrier,
    holds,
    rootSignal: root.signal,
    locate: () => Promise.resolve([...state.located]),
    probe: () => {
      state.probes.push((clock.monotonic() - start) / MINUTE);
      const agents = state.located.filter((id) => state.usable.has(id)).map(agent);
      runtimes.setBuiltins(new Map(agents.map((one) => [one.provider, one])));
      return Promise.resolve({ agents, demotable: state.demotable });
    },
    requestSync: () => void (state.syncs += 1),
    registrar: {
      register: (workspaceId, round, options) => {
        expect(options).toEqual({ builtinsOnly: true });
        if (state.failing.has(workspaceId)) return Promise.reject(new Error("away"));
        const rows = (round?.agents ?? []).map(({ provider }) => ({ id: `${workspaceId}-${provider}`, name: provider, provider, profileId: null }));
        runtimes.replace(workspaceId, rows, () => true);
        for (const { provider, version } of round?.agents ?? []) runtimes.workspace(workspaceId)?.sentVersions.set(provider, version);
        state.registered.push(...rows.map((row) => row.id));
        return Promise.resolve({ kind: "registered", fresh: [], dropped: [] });
      },
      recheckProfiles: () => {
        state.rechecks.push((clock.monotonic() - start) / MINUTE);
        return Promise.resolve(false);
      },
      deregister: (_workspaceId, ids, reason = null) => {
        state.deregistered.push({ ids, reason });
        return Promise.resolve();
      },
    },
  });
  onTestFinished(async () => {
    root.abort();
    await done;
    expect(clock.pending).toBe(0);
  });
  return state;
}

/** A world in which codex 1.0.0 is registered. */
async function settled(workspaces?: readonly string[]) {
  const state = world(workspaces);
  state.located.push("codex");
  state.usable.set("codex", "1.0.0");
  await state.clock.advance(2 * MINUTE);
  state.registered.length = 0;
  return state;
}

describe("the discovery loop", () => {
  it("starts no program while nothing is missing, and registers what appeared at the next look [A-14]", async () => {
    const state = world();
    await state.clock.advance(10 * MINUTE);
    expect(state.probes).toEqual([]);
    state.located.push("codex");
    state.usable.set("codex", "1.0.0");
    await state.clock.advance(2 * MINUTE);
    expect(state.registered).toEqual(["w1-codex"]);
    expect(state.probes).toEqual([12]);
    expect(state.runtimes.workspace("w1")?.runtimeIds).toContain("w1-own");
  });

  it("asks an agent that cannot be used less and less often, and at once when another one appears", async () => {
    const state = world();
    state.located.push("codex");
    await state.clock.advance(40 * MINUTE);
    expect(state.probes).toEqual([2, 4, 8, 16, 32]);
    state.located.push("other");
    state.usable.set("other", "1.0.0");
    await state.clock.advance(2 * MINUTE);
    expect(state.probes.at(-1)).toBe(42);
    expect(state.registered).toEqual(["w1-other"]);
  });

  it("registers again only where it failed, at a later look [A-15]", async () => {
    const state = world(["w1", "w2"]);
    state.failing.add("w1");
    state.located.push("codex");
    state.usable.set("codex", "1.0.0");
    await state.clock.advance(2 * MINUTE);
    expect(state.registered).toEqual(["w2-codex"]);
    state.failing.clear();
    await state.clock.advance(4 * MINUTE);
    expect(state.registered).toEqual(["w2-codex", "w1-codex"]);
  });

  it("asks for a sync while a workspace has no runtime at all, less and less often", async () => {
    const state = await settled();
    state.runtimes.track("w2", "w2");
    await state.clock.advance(8 * MINUTE);
    expect(state.syncs).toBe(3);
    expect(state.registered).toEqual([]);
  });

  it("keeps the runtime of a program that vanished or does not answer [A-16, A-18]", async () => {
    const state = await settled();
    state.located.length = 0;
    await state.clock.advance(30 * MINUTE);
    expect(state.runtimes.workspace("w1")?.runtimeIds).toContain("w1-codex");
    expect(state.deregistered).toEqual([]);
  });
});

describe("the version refresh", () => {
  it("registers an upgrade within ten minutes, sends nothing while versions stay, and tries again after a failure [A-17]", async () => {
    const state = await settled(["w1", "w2"]);
    await state.clock.advance(30 * MINUTE);
    expect(state.registered).toEqual([]);
    state.usable.set("codex", "1.1.0");
    state.failing.add("w2");
    await state.clock.advance(10 * MINUTE);
    expect(state.registered).toEqual(["w1-codex"]);
    state.failing.clear();
    await state.clock.advance(10 * MINUTE);
    expect(state.registered).toEqual(["w1-codex", "w2-codex"]);
  });

  it("takes a program that is certainly too old offline everywhere, custom runtimes stay [A-18]", async () => {
    const state = await settled(["w1", "w2"]);
    state.demotable = [{ provider: "codex", evidence: "0.9.0 is below 1.0.0", code: null }];
    state.usable.clear();
    await state.clock.advance(10 * MINUTE);
    expect(state.deregistered).toEqual([{ ids: ["w1-codex"], reason: null }, { ids: ["w2-codex"], reason: null }]);
    expect(state.runtimes.ids()).toEqual(["w1-own", "w2-own"]);
    expect(state.barrier.paused).toBe(false);
    await state.clock.advance(10 * MINUTE);
    expect(state.deregistered).toHaveLength(2);
  });

  it("waits with that while a task runs or a claim is under way [A-18], and says why a file cannot be executed [A-20]", async () => {
    const state = await settled();
    state.demotable = [{ provider: "codex", evidence: "it is empty", code: "not_executable" }];
    state.barrier.taskStarted();
    await state.clock.advance(10 * MINUTE);
    expect(state.deregistered).toEqual([]);
    expect(state.runtimes.ids()).toContain("w1-codex");
    state.barrier.taskEnded();
    await state.clock.advance(10 * MINUTE);
    expect(state.deregistered).toEqual([{ ids: ["w1-codex"], reason: { code: "not_executable", detail: "it is empty" } }]);
  });
});

describe("the command of a runtime profile", () => {
  it("that is missing is looked for ever less often; nothing is asked while all are there", async () => {
    const state = await settled();
    await state.clock.advance(10 * MINUTE);
    expect(state.rechecks).toEqual([]);
    const workspace = state.runtimes.workspace("w1");
    if (workspace !== undefined) workspace.failedProfiles = [{ profile_id: "p", command_name: "late", reason: "command not found on PATH: late" }];
    await state.clock.advance(40 * MINUTE);
    expect(state.rechecks).toEqual([14, 16, 20, 28, 44]);
  });

  it("that has gone is looked for when it is still gone at the next look", async () => {
    const state = await settled();
    state.runtimes.setProfileLaunch("p1", { provider: "acp", path: "/nowhere/own", version: "", fixedArgs: [], profileId: "p1" });
    await state.clock.advance(2 * MINUTE);
    expect(state.rechecks).toEqual([]);
    await state.clock.advance(2 * MINUTE);
    expect(state.rechecks).toHaveLength(1);
  });
});

describe("a hold", () => {
  it("is released only by a look that began after it [A-21]", () => {
    const holds = new Holds();
    const before = holds.sequence;
    holds.hold({ provider: "codex", evidence: "x", code: null });
    expect([holds.release("codex", before), holds.isHeld("codex")]).toEqual([false, true]);
    expect([holds.release("codex", holds.sequence), holds.isHeld("codex")]).toEqual([true, false]);
    expect(holds.release("codex", holds.sequence)).toBe(false);
  });
});

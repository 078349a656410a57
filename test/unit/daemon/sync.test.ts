import { describe, expect, it } from "vitest";
import type { DaemonApi, WorkspaceList } from "../../../src/lib/api/daemon-api.ts";
import { LIMITS } from "../../../src/lib/daemon/limits.ts";
import { SyncLoop } from "../../../src/lib/daemon/loops/sync.ts";
import type { Registrar } from "../../../src/lib/daemon/register.ts";
import { RuntimeRegistry } from "../../../src/lib/daemon/runtimes.ts";
import { HeldClock } from "../../../src/lib/platform/index.ts";
import { silentLogger } from "../../../src/lib/platform/logger.ts";

const MINUTE = 60_000;

function world(options: { dedicated: boolean }) {
  const clock = new HeldClock(0);
  const runtimes = new RuntimeRegistry();
  const root = new AbortController();
  const state = { lists: [] as number[], failing: false, names: ["w1"], registered: [] as string[], probes: 0, hold: null as Promise<void> | null };
  const list = async (): Promise<WorkspaceList> => {
    state.lists.push(clock.now() / MINUTE);
    await state.hold;
    if (state.failing) throw new Error("away");
    return { kind: "list", workspaces: state.names.map((id) => ({ id, name: id })), ...(options.dedicated ? { etag: "x" } : {}) };
  };
  const registrar = {
    register: async (id: string, round?: unknown) => {
      await round;
      state.registered.push(id);
      runtimes.replace(id, [{ id: `${id}-codex`, name: "codex", provider: "codex", profileId: null }]);
      return { kind: "registered", fresh: [], dropped: [] };
    },
    recoverOrphans: () => Promise.resolve(),
    refreshProfiles: () => Promise.resolve(),
    deregister: () => Promise.resolve(),
  } as unknown as Registrar;
  const sync = new SyncLoop({
    api: { workspaces: list } as unknown as DaemonApi,
    clock,
    limits: LIMITS,
    logger: silentLogger,
    runtimes,
    rootSignal: root.signal,
    registrar,
    idleIntervalMs: 30_000,
    random: () => 0.5,
    probe: () => {
      state.probes += 1;
      return Promise.resolve({ agents: [], demotable: [] });
    },
    onForgotten: () => undefined,
    socketConnected: () => true,
  });
  return { clock, root, state, sync };
}

describe("the workspace sync", () => {
  it("comes every five minutes on an older server, doubles after failures up to thirty, and starts over after a success [W-22]", async () => {
    const { clock, root, state, sync } = world({ dedicated: false });
    await sync.once({ reconcileProfiles: false });
    const done = sync.run();
    await clock.advance(5 * MINUTE);
    expect(state.lists).toEqual([0, 5]);
    state.failing = true;
    await clock.advance(5 * MINUTE + 10 * MINUTE + 20 * MINUTE + 30 * MINUTE + 30 * MINUTE);
    expect(state.lists.slice(2)).toEqual([10, 20, 40, 70, 100]);
    state.failing = false;
    await clock.advance(30 * MINUTE + 5 * MINUTE);
    expect(state.lists.slice(7)).toEqual([130, 135]);
    root.abort();
    await done;
    expect(clock.pending).toBe(0);
  });

  it("comes every half hour where the server tells of changes, and every half minute without a runtime", async () => {
    const { clock, root, state, sync } = world({ dedicated: true });
    state.names = [];
    await sync.once({ reconcileProfiles: false });
    const done = sync.run();
    await clock.advance(MINUTE);
    expect(state.lists).toEqual([0, 0.5, 1]);
    state.names = ["w1"];
    await clock.advance(MINUTE / 2);
    await clock.advance(60 * MINUTE);
    expect(state.lists.slice(3)).toEqual([1.5, 31.5, 61.5]);
    root.abort();
    await done;
  });

  it("makes exactly one more of hints that come while it is under way, keeps one that came before it ran, and looks at agents once", async () => {
    const { clock, root, state, sync } = world({ dedicated: true });
    state.names = Array.from({ length: 24 }, (_, at) => `w${at}`);
    sync.request({ reconcileProfiles: false });
    const gate = Promise.withResolvers<void>();
    state.hold = gate.promise;
    const done = sync.run();
    await clock.advance(0);
    for (let each = 0; each < 5; each += 1) sync.request({ reconcileProfiles: false });
    gate.resolve();
    await clock.advance(0);
    expect(state.lists).toHaveLength(2);
    expect([state.registered.length, state.probes]).toEqual([24, 1]);
    root.abort();
    await done;
  });
});

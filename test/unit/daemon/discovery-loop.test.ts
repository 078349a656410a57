import { describe, expect, it, onTestFinished } from "vitest";
import { LIMITS } from "../../../src/lib/daemon/limits.ts";
import { runDiscovery } from "../../../src/lib/daemon/loops/discovery.ts";
import type { ProbeRound } from "../../../src/lib/daemon/registration.ts";
import { RuntimeRegistry } from "../../../src/lib/daemon/runtimes.ts";
import { HeldClock } from "../../../src/lib/platform/index.ts";
import { silentLogger } from "../../../src/lib/platform/logger.ts";

const MINUTE = 60_000;
const agent = (provider: string): ProbeRound["agents"][number] => ({ provider, path: `/bin/${provider}`, version: "1", fixedArgs: [], profileId: null, displayName: provider });

function world(): { clock: HeldClock; located: string[]; usable: Set<string>; probes: number[]; registered: string[] } {
  const clock = new HeldClock();
  const runtimes = new RuntimeRegistry();
  runtimes.track("w1", "w1");
  runtimes.replace("w1", [{ id: "r1", name: "r1", provider: "acp", profileId: "p1" }]);
  const root = new AbortController();
  const state = { clock, located: [] as string[], usable: new Set<string>(), probes: [] as number[], registered: [] as string[] };
  const start = clock.monotonic();
  const done = runDiscovery({
    clock,
    limits: LIMITS,
    logger: silentLogger,
    runtimes,
    rootSignal: root.signal,
    locate: () => Promise.resolve([...state.located]),
    probe: () => {
      state.probes.push((clock.monotonic() - start) / MINUTE);
      return Promise.resolve({ agents: state.located.filter((id) => state.usable.has(id)).map(agent) });
    },
    registrar: {
      register: (workspaceId, round, options) => {
        expect(options).toEqual({ builtinsOnly: true });
        const rows = (round?.agents ?? []).map(({ provider }) => ({ id: `${workspaceId}-${provider}`, name: provider, provider, profileId: null }));
        runtimes.replace(workspaceId, rows, () => true);
        state.registered.push(...rows.map((row) => row.id));
        return Promise.resolve({ kind: "registered", fresh: [], dropped: [] });
      },
    },
  });
  onTestFinished(async () => {
    root.abort();
    await done;
  });
  return state;
}

describe("the discovery loop", () => {
  it("starts no program while nothing is missing, and registers what appeared at the next look", async () => {
    const state = world();
    await state.clock.advance(10 * MINUTE);
    expect(state.probes).toEqual([]);
    state.located.push("codex");
    state.usable.add("codex");
    await state.clock.advance(10 * MINUTE);
    expect(state.registered).toEqual(["w1-codex"]);
    expect(state.probes).toHaveLength(1);
  });

  it("asks an agent that cannot be used less and less often, and at once when another one appears", async () => {
    const state = world();
    state.located.push("codex");
    await state.clock.advance(40 * MINUTE);
    expect(state.probes).toEqual([2, 4, 8, 16, 32]);
    state.located.push("other");
    state.usable.add("other");
    await state.clock.advance(2 * MINUTE);
    expect(state.probes.at(-1)).toBe(42);
    expect(state.registered).toEqual(["w1-other"]);
  });
});

import { beforeEach, describe, expect, it } from "vitest";
import { LIMITS } from "../../../src/lib/daemon/limits.ts";
import type { Outcome } from "../../../src/lib/daemon/register.ts";
import { RuntimeGone } from "../../../src/lib/daemon/runtime-gone.ts";
import { RuntimeRegistry } from "../../../src/lib/daemon/runtimes.ts";
import { HeldClock } from "../../../src/lib/platform/index.ts";
import { silentLogger } from "../../../src/lib/platform/logger.ts";

let clock: HeldClock;
let root: AbortController;
let runtimes: RuntimeRegistry;
let registrations: number;
let recovered: string[];
let answer: () => Promise<Outcome>;
let gone: RuntimeGone;

const rows = (...ids: string[]): { id: string; name: string; provider: string; profileId: null }[] =>
  ids.map((id) => ({ id, name: id, provider: id.split("-")[0] ?? id, profileId: null }));
const registered = (...ids: string[]): Outcome => {
  const applied = runtimes.replace("w", rows(...ids));
  return { kind: "registered", fresh: applied?.fresh ?? [], dropped: applied?.dropped ?? [] };
};

beforeEach(() => {
  clock = new HeldClock(0);
  root = new AbortController();
  runtimes = new RuntimeRegistry();
  runtimes.track("w", "W");
  runtimes.replace("w", rows("claude-1", "codex-1"));
  registrations = 0;
  recovered = [];
  answer = () => Promise.resolve(registered("claude-2", "codex-1"));
  const registrar = {
    register: async () => {
      registrations += 1;
      return answer();
    },
    recoverOrphans: (ids: readonly string[]) => Promise.resolve(void recovered.push(...ids)),
  };
  gone = new RuntimeGone({ clock, limits: LIMITS, logger: silentLogger, runtimes, rootSignal: root.signal }, registrar);
});

describe("a runtime reported gone", () => {
  it("does nothing for an unknown id", async () => {
    await gone.report("nobody");
    await gone.report("");
    expect(registrations).toBe(0);
  });

  it("leads to one registration however many report it", async () => {
    await Promise.all(Array.from({ length: 20 }, () => gone.report("claude-1")));
    expect(registrations).toBe(1);
  });

  it("keeps the sibling, has no duplicates, and recovers orphans of the new runtime only", async () => {
    await gone.report("claude-1");
    expect(runtimes.workspace("w")?.runtimeIds).toEqual(["claude-2", "codex-1"]);
    expect(runtimes.get("claude-1")).toBeUndefined();
    expect(recovered).toEqual(["claude-2"]);
  });

  it("covers siblings of the same wave with one registration", async () => {
    const pending = Promise.withResolvers<Outcome>();
    answer = () => pending.promise;
    const reports = [gone.report("claude-1"), gone.report("codex-1")];
    pending.resolve(registered("claude-2", "codex-2"));
    await Promise.all(reports);
    expect(registrations).toBe(1);
  });

  it("waits 60 s after a failure and tries again then", async () => {
    answer = () => Promise.reject(new Error("away"));
    await gone.report("claude-1");
    await clock.advance(59_000);
    await gone.report("codex-1");
    expect(registrations).toBe(1);
    runtimes.replace("w", rows("omp-1"));
    await clock.advance(2000);
    await gone.report("omp-1");
    expect(registrations).toBe(2);
  });

  it("acts at once on a later, distinct deletion after a success", async () => {
    await gone.report("claude-1");
    await clock.advance(5000);
    answer = () => Promise.resolve(registered("claude-2", "codex-2"));
    await gone.report("codex-1");
    expect(registrations).toBe(2);
    expect(recovered).toEqual(["claude-2", "codex-2"]);
  });

  it("tells the loops that the set has changed before it registers", async () => {
    const box = runtimes.changes.subscribe();
    answer = () => {
      expect(box.take()).toBe(true);
      return Promise.resolve(registered("claude-2"));
    };
    await gone.report("claude-1");
    expect(registrations).toBe(1);
  });
});

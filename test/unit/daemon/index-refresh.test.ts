import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runIndexRefresh } from "../../../src/lib/daemon/loops/index-refresh.ts";
import { HeldClock, realPathIfExists } from "../../../src/lib/platform/index.ts";
import { silentLogger } from "../../../src/lib/platform/logger.ts";
import type { IndexHandle } from "../../../src/lib/state/index.ts";
import { tempDir } from "../../support/temp.ts";

const MINUTE = 60_000;

describe("the loop that keeps the index up to date", () => {
  it("looks at the homes of running tasks every minute, at all of them every ten, and at none without an index", async () => {
    const clock = new HeldClock();
    const over = new AbortController();
    const [withHome, without] = [tempDir(), tempDir()];
    mkdirSync(join(withHome, "real"));
    symlinkSync(join(withHome, "real"), join(withHome, "codex-home"));
    const calls: (readonly string[] | "all")[] = [];
    const index = { refresh: ({ homes }: { homes?: readonly string[] }) => Promise.resolve(void calls.push(homes ?? "all")) } as unknown as IndexHandle;
    const at: { active: string[]; index: IndexHandle | null } = { active: [], index };
    const loop = runIndexRefresh({ clock, logger: silentLogger, rootSignal: over.signal, activeRoots: { list: () => at.active }, index: () => at.index, intervalMs: 10 * MINUTE });
    for (let n = 0; n < 3; n += 1) await clock.advance(MINUTE);
    expect(calls).toEqual([]);
    at.active = [withHome, without];
    for (let n = 0; n < 2; n += 1) await clock.advance(MINUTE);
    const home = [realPathIfExists(join(withHome, "real"))];
    expect(calls).toEqual([home, home]);
    for (let n = 0; n < 5; n += 1) await clock.advance(MINUTE);
    expect(calls.slice(2)).toEqual([home, home, home, home, "all"]);
    at.index = null;
    for (let n = 0; n < 12; n += 1) await clock.advance(MINUTE);
    expect(calls).toHaveLength(7);
    over.abort();
    await loop;
  });
});

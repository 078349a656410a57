import { expect } from "vitest";
import { systemClock } from "../../src/lib/platform/index.ts";
import { readRollout } from "../../src/lib/state/index-db/rollout/read.ts";
import { type BackfillStats, findRollout, listSessions } from "../../src/lib/state/index.ts";
import { makeBigHome } from "./big-home.ts";
import { everything, indexWorld } from "./index-db.ts";

export interface TrialFigures {
  readonly files: number;
  readonly filesPerSecond: number;
  readonly hugeMs: number;
  readonly grownMiB: number;
  readonly againMs: number;
}

/** Generates a home, fills an index from it, and asks it everything there is to know; the same for every count. */
export async function indexTrial(options: { readonly count: number; readonly seed: number }): Promise<TrialFigures> {
  const world = indexWorld();
  const home = makeBigHome(world.home, options.count, options.seed);
  const before = process.memoryUsage().rss;
  let peak = before;
  let filled: BackfillStats | null = null;
  const index = await world.open({
    onProgress: () => (peak = Math.max(peak, process.memoryUsage().rss)),
    onFilled: (stats) => (filled = stats),
  });
  const stats = filled as BackfillStats | null;
  expect(stats).toMatchObject({ scanned: home.files, upserted: home.files, failed: 0 });
  await expectAnswers();
  const again = await index.refresh();
  expect(again).toMatchObject({ scanned: home.files, upserted: 0, removed: 0, unchanged: home.files });
  const hugeMs = await slowestHuge();
  return {
    files: home.files,
    filesPerSecond: Math.round(home.files / ((stats?.duration_ms ?? 1) / 1000)),
    hugeMs,
    grownMiB: Math.round((peak - before) / 2 ** 20),
    againMs: again?.duration_ms ?? 0,
  };

  async function expectAnswers(): Promise<void> {
    const seen = new Map<string, { title: string; tokens: number }>();
    let last = Number.POSITIVE_INFINITY;
    for (let cursor: string | undefined; ; ) {
      const page = await listSessions(index, everything({ cursor }), world.places);
      expect(page.from).toBe("index");
      for (const row of page.sessions) {
        expect(Date.parse(row.updated_at)).toBeLessThanOrEqual(last);
        last = Date.parse(row.updated_at);
        expect(seen.has(row.thread_id)).toBe(false);
        seen.set(row.thread_id, { title: row.title, tokens: row.tokens_used });
      }
      if (page.next_cursor === null) break;
      cursor = page.next_cursor;
    }
    expect(seen.size).toBe(home.live.size);
    for (const [id, expected] of home.live) expect(seen.get(id), id).toEqual(expected);
    const archived = await listSessions(index, everything({ archived: true }), world.places);
    expect(archived.sessions.every((row) => home.archived.has(row.thread_id))).toBe(true);
    for (const { named, carries } of home.liars.slice(0, 20)) {
      const find = (id: string) => findRollout(index, id, { scope: "any", places: world.places, repair: false, clock: systemClock });
      expect(await find(named)).toBeNull();
      expect(await find(carries)).toMatchObject({ verified: true, via: "index" });
    }
  }

  async function slowestHuge(): Promise<number> {
    const times: number[] = [];
    for (const path of home.huge) {
      const at = performance.now();
      expect((await readRollout(path)).status).toBe("ok");
      times.push(performance.now() - at);
    }
    expect(times.length).toBeGreaterThan(0);
    return Math.round(Math.max(...times));
  }
}

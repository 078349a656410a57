import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../src/lib/platform/index.ts";
import { silentLogger } from "../src/lib/platform/logger.ts";
import { openIndex } from "../src/lib/state/index-db/open.ts";
import { readRollout } from "../src/lib/state/index-db/rollout/read.ts";
import type { BackfillStats } from "../src/lib/state/index.ts";
import { makeBigHome } from "../test/support/big-home.ts";
import { type Figure, figure, quantile } from "./figures.ts";

const COUNT = 3000;

/** Filling an empty index from a home as years of work leave it, looking through it again, and one rollout of 1 GiB. */
export async function indexFigures(): Promise<Figure[]> {
  const root = mkdtempSync(join(tmpdir(), "multica-bench-"));
  try {
    const home = makeBigHome(join(root, "codex"), COUNT, 1);
    const places = { userHome: join(root, "codex"), workspacesRoot: "", extra: [] };
    const filled: BackfillStats[] = [];
    const index = await openIndex({ stateDir: join(root, "state"), version: "0", clock: systemClock, logger: silentLogger, places, onFilled: (stats) => filled.push(stats) });
    const again = await index.refresh();
    await index.close();
    const times: number[] = [];
    for (const path of [...home.huge, ...home.huge, ...home.huge]) {
      const at = performance.now();
      await readRollout(path);
      times.push(performance.now() - at);
    }
    const fill = filled[0]?.duration_ms ?? Number.NaN;
    const rate = Math.round((home.files / fill) * 1000);
    return [
      figure("rollout backfill", (fill / home.files) * 300, "ms per 300 files", { budget: 1000, detail: { files: home.files, files_per_second: rate } }),
      figure("rollouts looked through again", again?.duration_ms ?? Number.NaN, "ms", { detail: { files: home.files } }),
      figure("a rollout of 1 GiB", quantile(times, 0.95), "ms", { budget: 100 }),
    ];
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

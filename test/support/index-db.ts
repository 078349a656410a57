import { join } from "node:path";
import { onTestFinished } from "vitest";
import { systemClock } from "../../src/lib/platform/index.ts";
import { silentLogger } from "../../src/lib/platform/logger.ts";
import { type OpenIndexOptions, openIndex } from "../../src/lib/state/index-db/open.ts";
import type { HomePlaces, SessionQuery } from "../../src/lib/state/index.ts";
import { tempDir } from "./temp.ts";

export interface IndexWorld {
  readonly root: string;
  readonly stateDir: string;
  readonly home: string;
  readonly places: HomePlaces;
  open(options?: Partial<OpenIndexOptions>): ReturnType<typeof openIndex>;
}

/** A state directory, a Codex home and a workspaces root, all empty; every index opened through it is closed at the end. */
export function indexWorld(): IndexWorld {
  const root = tempDir();
  const stateDir = join(root, "state");
  const home = join(root, "codex");
  const places = { userHome: home, workspacesRoot: join(root, "workspaces"), extra: [] };
  return {
    root,
    stateDir,
    home,
    places,
    open: async (options = {}) => {
      const index = await openIndex({ stateDir, version: "1.0.0", clock: systemClock, logger: silentLogger, places, ...options });
      onTestFinished(() => index.close());
      return index;
    },
  };
}

/** All live threads, newest first. */
export function everything(query: Partial<SessionQuery> = {}): SessionQuery {
  return { limit: 500, sort: "updated", ascending: false, archived: false, sources: [], providers: [], cwds: [], ...query };
}

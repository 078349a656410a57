import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { systemClock } from "../../../src/lib/platform/index.ts";
import { silentLogger } from "../../../src/lib/platform/logger.ts";
import { type CheckoutRequest, type RepoCache, createRepoCache } from "../../../src/lib/repos/index.ts";
import { type TestGit, testGit } from "../../support/git.ts";
import { tempDir } from "../../support/temp.ts";

export const TASK_A = "01931a2b-0000-7000-8000-0000000000aa";
export const TASK_B = "01931a2b-0000-7000-8000-0000000000bb";

export interface Harness {
  readonly root: string;
  readonly git: TestGit;
  readonly cache: RepoCache;
  /** A fresh directory below the root, such as a remote or a workdir. */
  dir(...parts: string[]): string;
  request(url: string, patch?: Partial<CheckoutRequest>): CheckoutRequest;
}

/** A cache in a temporary directory with real git. */
export function harness(): Harness {
  const base = tempDir();
  const git = testGit(tempDir());
  const root = join(base, "workspaces");
  const cache = createRepoCache({ root, clock: systemClock, logger: silentLogger, env: git.env });
  onTestFinished(() => cache.close());
  const dir = (...parts: string[]): string => {
    const path = join(base, ...parts);
    mkdirSync(path, { recursive: true });
    return path;
  };
  return {
    root,
    git,
    cache,
    dir,
    request: (url, patch = {}) => ({
      workspaceId: "ws",
      url,
      workdir: dir("work"),
      taskId: TASK_A,
      agentName: "My Agent",
      mode: "linked",
      ...patch,
    }),
  };
}

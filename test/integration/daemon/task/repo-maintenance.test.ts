import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { runTask } from "../../../../src/lib/daemon/task/handle.ts";
import { systemClock } from "../../../../src/lib/platform/index.ts";
import { silentLogger } from "../../../../src/lib/platform/logger.ts";
import { createRepoCache } from "../../../../src/lib/repos/index.ts";
import { makeRemote, testGit } from "../../../support/git.ts";
import { gitRuns, slowGc } from "../../../support/slow-gc.ts";
import { taskDaemon } from "../../../support/task-daemon.ts";
import { tempDir } from "../../../support/temp.ts";
import { waitFor } from "../../../support/wait.ts";

const MARKER = ".multica-maintenance-pending";

describe("a task that starts while repositories are packed", () => {
  it.each(["its own daemon", "another daemon of the same root"])("waits until the packing by %s has ended, with its process tree (repocache.md 20, case 69)", async (whose) => {
    const base = tempDir();
    const git = testGit(tempDir());
    const slow = slowGc(join(base, "bin"), git.env);
    const daemon = await taskDaemon({ agent: "acp-happy", env: slow.env });
    const { ctx, server } = daemon;
    const packer = whose === "its own daemon" ? ctx.repoCache : createRepoCache({ root: ctx.config.workspacesRoot, clock: systemClock, logger: silentLogger, env: slow.env });
    onTestFinished(() => Promise.all([packer.close(), ctx.repoCache.close()]).then(() => undefined));
    mkdirSync(join(base, "remote"));
    const { path: bare } = await ctx.repoCache.ensure("w", makeRemote(git, join(base, "remote", "api")));
    writeFileSync(join(bare, MARKER), "x");
    const round = packer.maintain({ evictAfterMs: 0, pack: true, isIdle: () => true, isClaimed: () => true, signal: new AbortController().signal });
    await waitFor("gc to run", () => slow.started());
    expect(gitRuns(bare)).toBe(true);
    let running: boolean | undefined;
    server.script = (route) => {
      // The server hears of the start only when an agent may be started.
      if (route === "start") running = gitRuns(bare);
      return undefined;
    };
    await runTask(ctx, daemon.task(), 1);
    expect(running).toBe(false);
    expect(server.order().at(-1)).toBe("complete");
    expect(await round).toMatchObject({ packed: 0 });
    expect(existsSync(join(bare, MARKER))).toBe(true);
    expect(existsSync(join(bare, "gc.pid"))).toBe(false);
  });
});

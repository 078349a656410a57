import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../src/lib/platform/index.ts";
import { silentLogger } from "../src/lib/platform/logger.ts";
import { createRepoCache } from "../src/lib/repos/index.ts";
import { isolatedGitEnv, makeRemote, testGit } from "../test/support/git.ts";
import { type Figure, figure, quantile } from "./figures.ts";

const FILES = 5000;
const RUNS = 9;

/** A checkout from a warm cache against `git worktree add` on the same bare repository, in turns. */
export async function repoFigures(): Promise<Figure[]> {
  const dir = mkdtempSync(join(tmpdir(), "multica-bench-"));
  try {
    mkdirSync(join(dir, "home"));
    const git = testGit(join(dir, "home"));
    const content: Record<string, string> = {};
    for (let at = 0; at < FILES; at += 1) content[`src/d${at % 50}/f${at}.txt`] = `file ${at}\n${"x".repeat(200)}\n`;
    const remote = makeRemote(git, join(dir, "remote", "big"), "main", content);
    const env = isolatedGitEnv(join(dir, "home"));
    const counted = countingGit(join(dir, "bin"), git.env["PATH"] ?? "");
    const cache = createRepoCache({ root: join(dir, "root"), clock: systemClock, logger: silentLogger, env });
    const { path: bare } = await cache.ensure("ws", remote);
    const checkout = async (name: string, via = cache): Promise<void> => {
      mkdirSync(join(dir, name));
      await via.checkout({ workspaceId: "ws", url: remote, workdir: join(dir, name), taskId: `task-${name}`, agentName: "bench", mode: "linked", coAuthor: true });
    };
    const ours: number[] = [];
    const plain: number[] = [];
    const add = (name: string): void =>
      void execFileSync("git", ["worktree", "add", "-q", "--no-track", "-b", name, join(dir, name), "refs/remotes/origin/main"], { cwd: bare, env });
    for (let run = -1; run < RUNS; run += 1) {
      const turns = [async () => (ours.push(await timed(() => checkout(`ours${run}`))), undefined), async () => (plain.push(await timed(() => add(`plain${run}`))), undefined)];
      // In turns, and from a quiet disk each time: what is measured must not pay for what was written before it.
      for (const turn of run % 2 === 0 ? turns : turns.reverse()) {
        execFileSync("sync");
        await turn();
      }
    }
    for (const samples of [ours, plain]) samples.shift();
    const watched = createRepoCache({ root: join(dir, "root"), clock: systemClock, logger: silentLogger, env: { ...env, PATH: counted.path } });
    await checkout("warm-up", watched);
    const before = counted.count();
    await checkout("counted", watched);
    await Promise.all([cache.close(), watched.close()]);
    const [a, b] = [quantile(ours, 0.5), quantile(plain, 0.5)];
    return [
      figure("warm checkout, 5,000 files, to git worktree add", a / b, "x", { budget: 1.3, detail: { ours_ms: a, plain_ms: b } }),
      figure("warm checkout: git processes started", counted.count() - before, "processes", { budget: 6 }),
    ];
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

async function timed(work: () => Promise<void> | void): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/** A `git` in front of the real one that counts its starts. */
function countingGit(bin: string, path: string): { path: string; count: () => number } {
  mkdirSync(bin);
  const [script, log] = [join(bin, "git"), join(bin, "starts")];
  const real = execFileSync("which", ["git"], { encoding: "utf8", env: { PATH: path } }).trim();
  writeFileSync(log, "");
  writeFileSync(script, `#!/bin/sh\necho "$*" >> '${log}'\nexec '${real}' "$@"\n`);
  chmodSync(script, 0o755);
  return { path: `${bin}:${path}`, count: () => readFileSync(log, "utf8").split("\n").filter((line) => line !== "").length };
}

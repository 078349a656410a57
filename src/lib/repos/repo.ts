import { lstatSync } from "node:fs";
import { join } from "node:path";
import { type Git, type GitAnswer, type GitCall, gitFailure } from "./git.ts";
import { writeFileAtomic } from "../platform/index.ts";
import { readPlain } from "./refs-text.ts";
import { type LockZone, STALE_AFTER_MS } from "./stale-lock.ts";

/** One bare repository, and the git that works on it; every call names the repository outright. Its lock is held by the caller. */
export interface BareRepo {
  readonly path: string;
  readonly zones: readonly LockZone[];
  ask(args: readonly string[]): Promise<GitAnswer>;
  run(args: readonly string[], extra?: Partial<GitCall>): Promise<GitAnswer>;
  must(what: string, args: readonly string[], extra?: Partial<GitCall>): Promise<string>;
  /** Lines of a question; a failure is an error. */
  lines(args: readonly string[]): Promise<string[]>;
}

/** `staleAfterMs`: age at which a lock file in it is nobody's; shorter after its last holder was found dead. */
export function bareRepo(git: Git, path: string, signal?: AbortSignal, staleAfterMs: number = STALE_AFTER_MS): BareRepo {
  const zones: readonly LockZone[] = [{ directory: path, staleAfterMs, except: "worktrees" }];
  const call = (args: readonly string[], extra: Partial<GitCall> = {}): GitCall => ({
    args,
    cwd: path,
    gitDir: path,
    holds: path,
    lockZones: zones,
    ...(signal === undefined ? {} : { signal }),
    ...extra,
  });
  return {
    path,
    zones,
    ask: (args) => git.ask(call(args)),
    run: (args, extra) => git.run(call(args, extra)),
    must: (what, args, extra) => git.must(what, call(args, extra)),
    lines: async (args) => {
      const answer = await git.ask(call(args));
      if (answer.code !== 0) throw gitFailure(`git ${args[0] ?? ""}: `, answer);
      return answer.stdout.split("\n").filter((line) => line !== "");
    },
  };
}

/** True for a directory that holds a repository: half-deleted ones are cloned anew instead of failing for ever (1). */
export function isBareRepo(path: string): boolean {
  const head = lstatSync(join(path, "HEAD"), { throwIfNoEntry: false });
  const objects = lstatSync(join(path, "objects"), { throwIfNoEntry: false });
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true && head?.isFile() === true && objects?.isDirectory() === true;
}

const STAMP = ".multica_last_used";

/** Notes that somebody wanted this cache: eviction goes by it (repocache.md 17.3). */
export async function stampUsed(bare: string, nowMs: number): Promise<void> {
  await writeFileAtomic(join(bare, STAMP), new Date(nowMs).toISOString(), { durable: false });
}

/** When the cache was last wanted, epoch milliseconds; undefined when that is not known. */
export function lastUsed(bare: string): number | undefined {
  const ms = Date.parse(readPlain(join(bare, STAMP))?.trim() ?? "");
  return Number.isNaN(ms) ? undefined : ms;
}

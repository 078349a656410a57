import { lstatSync } from "node:fs";
import { join } from "node:path";
import { type Git, type GitAnswer, type GitCall, gitFailure } from "./git.ts";

/** One bare repository, and the git that works on it; every call names the repository outright. Its lock is held by the caller. */
export interface BareRepo {
  readonly path: string;
  ask(args: readonly string[]): Promise<GitAnswer>;
  run(args: readonly string[], extra?: Partial<GitCall>): Promise<GitAnswer>;
  must(what: string, args: readonly string[], extra?: Partial<GitCall>): Promise<string>;
  /** Lines of a question; a failure is an error. */
  lines(args: readonly string[]): Promise<string[]>;
}

export function bareRepo(git: Git, path: string, signal?: AbortSignal): BareRepo {
  const call = (args: readonly string[], extra: Partial<GitCall> = {}): GitCall => ({
    args,
    cwd: path,
    gitDir: path,
    ownRepository: path,
    ...(signal === undefined ? {} : { signal }),
    ...extra,
  });
  return {
    path,
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

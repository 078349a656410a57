import { join } from "node:path";
import { randomHex } from "../core/index.ts";
import { ensureDir, removeTree, writeFileAtomic } from "../platform/index.ts";
import type { GitCall } from "./git.ts";

export interface ViewOptions {
  /** Bare cache that the view lies beside; the caller holds its lock. */
  readonly cache: string;
  /** Object directories that are borrowed, read only. */
  readonly objects: readonly string[];
  /** Commit id that `HEAD` names; absent: a branch that does not exist. */
  readonly head?: string;
  /** Content of `info/exclude`. */
  readonly exclude?: string;
  readonly signal?: AbortSignal;
}

/** A repository of ours around somebody else's objects. */
export interface View {
  readonly path: string;
  call(args: readonly string[], extra?: Partial<GitCall>): GitCall;
}

/**
 * Gives `fn` a repository that has the objects of others and nothing else of theirs: git looks at a checkout through it
 * without reading a configuration, a hook or an attribute file that an agent could have written.
 */
export async function withView<T>(options: ViewOptions, fn: (view: View) => Promise<T>): Promise<T> {
  const { cache, signal } = options;
  const path = `${cache}.tmp-${randomHex(6)}`;
  try {
    await build(path, options);
    return await fn({
      path,
      call: (args, extra = {}) => ({ args, cwd: path, gitDir: path, holds: cache, ...(signal === undefined ? {} : { signal }), ...extra }),
    });
  } finally {
    await removeTree(path);
  }
}

async function build(path: string, options: ViewOptions): Promise<void> {
  const sha256 = (options.head ?? "").length === 64;
  await ensureDir(path, 0o700);
  for (const name of ["refs", join("objects", "info"), "info"]) await ensureDir(join(path, name));
  const format = sha256 ? "\trepositoryformatversion = 1\n[extensions]\n\tobjectformat = sha256\n" : "\trepositoryformatversion = 0\n";
  // Never look into submodules: each has a configuration of its own.
  await writeFileAtomic(join(path, "config"), `[core]\n\tbare = false\n\tuntrackedCache = false\n${format}[diff]\n\tignoreSubmodules = all\n`, { durable: false });
  await writeFileAtomic(join(path, "objects", "info", "alternates"), options.objects.map((item) => `${item}\n`).join(""), { durable: false });
  if (options.exclude !== undefined) await writeFileAtomic(join(path, "info", "exclude"), options.exclude, { durable: false });
  await writeFileAtomic(join(path, "HEAD"), options.head === undefined ? "ref: refs/heads/none\n" : `${options.head}\n`, { durable: false });
}

export interface NewRef {
  readonly ref: string;
  readonly commit: string;
}

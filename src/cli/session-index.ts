import { isAbsolute, resolve } from "node:path";
import { type RunContext, readSettings, resolveWorkspacesRoot, stateJournalMode } from "../lib/config/index.ts";
import { EXIT, MulticaError } from "../lib/core/index.ts";
import { packageRoot, processEnv, realPathIfExists, systemClock } from "../lib/platform/index.ts";
import { silentLogger } from "../lib/platform/logger.ts";
import type { BackfillStats, HomePlaces, IndexHandle } from "../lib/state/index.ts";
import { versionInfo } from "./version.ts";

type Env = Readonly<Record<string, string>>;

export interface IndexInput {
  readonly context: RunContext;
  readonly env: Env;
  readonly home: string;
  readonly cwd: string;
  /** Homes named by hand, relative to the working directory. */
  readonly homes?: readonly string[] | undefined;
}

/** Where this profile's threads are: the user's Codex home, the homes of its tasks, and those named by hand (exit 4 when missing). */
export async function homePlaces({ context, env, home, cwd, homes = [] }: IndexInput): Promise<HomePlaces> {
  const { sharedCodexHome } = await import("../lib/execenv/index.ts");
  const settings = readSettings(context.stateDir);
  const workspacesRoot = resolveWorkspacesRoot({ flags: {}, env, settings, profile: context.profile, home });
  // Those named by hand come first.
  const extra = [...homes.map((path) => existingHome(path, cwd)), ...(settings.index_homes ?? [])];
  return { userHome: sharedCodexHome({ env, home }, workspacesRoot), workspacesRoot, extra };
}

function existingHome(path: string, cwd: string): string {
  const real = realPathIfExists(isAbsolute(path) ? path : resolve(cwd, path));
  if (real !== undefined) return real;
  throw new MulticaError("no_such_home", `there is no Codex home at ${path}`, { exit: EXIT.notFound });
}

export interface UseIndex {
  readonly stateDir: string;
  readonly places: HomePlaces;
  /** True = answer from the files; no database is touched. */
  readonly noIndex?: boolean | undefined;
  /** True = only an index that is complete is looked into; nothing is made or written, nobody is waited for. */
  readonly onlyLook?: boolean | undefined;
  readonly waitMs?: number | undefined;
  /** Lines for stderr. */
  note(line: string): void;
  readonly onProgress?: ((stats: BackfillStats) => void) | undefined;
}

/**
 * Opens the rollout index for one command, brings it up to date, and closes it again. This process is an entry point, so
 * it is the one that opens; `use` gets null, and a line on stderr says why, when the index cannot be used.
 */
export async function withIndex<T>(options: UseIndex, use: (index: IndexHandle | null) => Promise<T>): Promise<T> {
  if (options.noIndex === true) return use(null);
  const { meansNoIndex, openIndex, openIndexReader } = await import("../lib/state/index-db/open.ts");
  const common = { stateDir: options.stateDir, clock: systemClock, logger: silentLogger, places: options.places };
  let index: IndexHandle | null = null;
  try {
    if (options.onlyLook === true) index = openIndexReader(common);
    else index = await openIndex({
      ...common,
      version: versionInfo(packageRoot()).version,
      journalMode: stateJournalMode(processEnv()),
      onWait: ({ pid }) => options.note(`Waiting for process ${pid}, which is filling the index of sessions.`),
      ...(options.waitMs === undefined ? {} : { waitMs: options.waitMs }),
      ...(options.onProgress === undefined ? {} : { onProgress: options.onProgress }),
    });
  } catch (error) {
    if (!meansNoIndex(error)) throw error;
    options.note(`Answering from the files: ${error instanceof Error ? error.message : String(error)}`);
  }
  try {
    return await use(index);
  } finally {
    await index?.close();
  }
}

import { lstatSync, readdirSync, readlinkSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { errorText, randomHex } from "../../core/index.ts";
import { moveFile, removeEmptyDirectory, removeStubborn } from "../../platform/index.ts";
import { storeNamespace } from "../codex/session-store.ts";
import { ENTRY } from "../layout.ts";
import { surveyRoot } from "../ops/survey.ts";

export interface StoreReport {
  readonly path: string;
  readonly status: "removed" | "would_remove" | "failed";
  readonly error: string | null;
}

/**
 * Removes the sessions of conversations that nobody took up for `ttlMs` (daemon.md 14.7): only in this profile's namespace,
 * by the newest time in them, and never those that an environment of the root still leads to. A store is moved aside
 * first and looked at again, so that a task which takes it up at that moment gets it back.
 */
export async function sweepSessionStores(options: {
  readonly workspacesRoot: string;
  readonly sharedHome: string;
  readonly profile: string;
  readonly ttlMs: number;
  readonly nowMs: number;
  readonly dryRun: boolean;
}): Promise<StoreReport[]> {
  const { nowMs, ttlMs } = options;
  if (ttlMs <= 0) return [];
  const namespace = storeNamespace(options.sharedHome, options.profile);
  const linked = linkedStores(options.workspacesRoot, nowMs);
  const reports: StoreReport[] = [];
  for (const agent of directoriesIn(namespace)) {
    for (const path of directoriesIn(agent)) {
      if (linked.has(path) || newestMs(path) > nowMs - ttlMs) continue;
      reports.push(options.dryRun ? { path, status: "would_remove", error: null } : await remove(path, nowMs - ttlMs));
    }
    if (!options.dryRun && readdirSync(agent).length === 0) await removeEmptyDirectory(agent).catch(() => undefined);
  }
  return reports.filter((report) => report.error !== BACK);
}

/** Taken up in between: nothing to report. */
const BACK = "taken up";

async function remove(path: string, olderThanMs: number): Promise<StoreReport> {
  const aside = join(dirname(path), `.gc-${basename(path)}-${randomHex(6)}`);
  try {
    await moveFile(path, aside);
    if (newestMs(aside) > olderThanMs && lstatSync(path, { throwIfNoEntry: false }) === undefined) {
      await moveFile(aside, path);
      return { path, status: "failed", error: BACK };
    }
    await removeStubborn(aside);
    return { path, status: "removed", error: null };
  } catch (error) {
    return { path, status: "failed", error: errorText(error) };
  }
}

function linkedStores(workspacesRoot: string, nowMs: number): ReadonlySet<string> {
  const found = new Set<string>();
  for (const env of surveyRoot(workspacesRoot, { nowMs })) {
    const sessions = join(env.path, ENTRY.codexHome, "sessions");
    if (lstatSync(sessions, { throwIfNoEntry: false })?.isSymbolicLink() === true) found.add(readlinkSync(sessions));
  }
  return found;
}

/** The newest time of anything in a tree; now for what cannot be read, so that it stays. */
function newestMs(path: string): number {
  try {
    const facts = lstatSync(path);
    if (!facts.isDirectory()) return facts.mtimeMs;
    return readdirSync(path).reduce((newest, name) => Math.max(newest, newestMs(join(path, name))), facts.mtimeMs);
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

function directoriesIn(directory: string): string[] {
  if (lstatSync(directory, { throwIfNoEntry: false })?.isDirectory() !== true) return [];
  return readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith("."))
    .map((entry) => join(directory, entry.name));
}

import { lstatSync, readdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { EXIT, MulticaError, asString, errorText, isObject, parseJson, randomHex, systemCode } from "../core/index.ts";
import { type Clock, chmodPath, copyTree, ensureDir, isInside, moveFile, pathExists, realPathIfExists, removeEmptyDirectory, removeStubborn, writeFileAtomic } from "../platform/index.ts";
import { workspaceSegment } from "./names.ts";
import { readPlain } from "./refs-text.ts";
import type { KeptEntry } from "./rescue-refs.ts";
import type { UnpushedWork } from "./unpushed.ts";

/** A directory that was moved out of the way because no cache can keep what is in it. */
export interface MovedWork extends UnpushedWork {
  /** Where it lies now, for 30 days. */
  readonly directory: string;
  /** What `repo rescue` takes. */
  readonly id: string;
}

const PLACE = ".kept";
const FACTS = "kept.json";
const KEEP_MS = 30 * 24 * 3_600_000;

interface Moving {
  /** The workspaces root. */
  readonly root: string;
  readonly workspaceId: string;
  /** What all of it lies in, for good: nothing that lies elsewhere is moved. */
  readonly within: string;
  readonly taskId: string;
  readonly clock: Clock;
}

/**
 * Moves directories whose work no cache can keep to `<root>/.kept/<workspace>/<id>/`, as they are, before what they lie in
 * is deleted. One that lies in another goes with it. Throws `rescue_failed` when one cannot be moved: then nothing may be
 * deleted.
 */
export async function moveAside(work: readonly UnpushedWork[], moving: Moving): Promise<MovedWork[]> {
  const moved: MovedWork[] = [];
  for (const { path, what } of [...work].sort((a, b) => (a.path < b.path ? -1 : 1))) {
    if (moved.some((one) => isInside(one.path, path))) continue;
    try {
      moved.push({ path, what, ...(await moveOne(path, what, moving)) });
    } catch (error) {
      const suggestions = ["Nothing was deleted. Save or move what is in it yourself, then delete it."];
      throw new MulticaError("rescue_failed", `cannot move ${path} out of the way: ${errorText(error)}`, { cause: error, suggestions, retry: "later" });
    }
  }
  return moved;
}

async function moveOne(path: string, what: string, { root, workspaceId, within, taskId, clock }: Moving): Promise<{ directory: string; id: string }> {
  const [real, base] = [realPathIfExists(path), realPathIfExists(within)];
  if (real === undefined || base === undefined || !isInside(base, real)) throw new MulticaError("path_outside", "it leads elsewhere");
  const workspace = join(root, PLACE, workspaceSegment(workspaceId));
  for (const place of [join(root, PLACE), workspace]) {
    const stat = lstatSync(place, { throwIfNoEntry: false });
    if (stat !== undefined && !stat.isDirectory()) throw new MulticaError("path_taken", `${place} is no directory`);
    await ensureDir(place, 0o700);
  }
  const id = randomHex(6);
  const entry = join(workspace, id);
  await ensureDir(entry, 0o700);
  const facts = { task_id: taskId, path, what, at: new Date(clock.now()).toISOString() };
  await writeFileAtomic(join(entry, FACTS), `${JSON.stringify(facts)}\n`, { mode: 0o600 });
  // Not its own name: that could be the one of the facts, or begin with a dash.
  const directory = join(entry, "directory");
  await moveFile(real, directory).catch(async (error: unknown) => {
    if (!["EACCES", "EPERM"].includes(systemCode(error) ?? "")) throw error;
    // A directory that may not be written cannot get another parent.
    await chmodPath(real, lstatSync(real).mode | 0o700);
    await moveFile(real, directory);
  });
  return { directory, id };
}

/** What was moved aside, of all workspaces or of one. */
export function listMoved(root: string, workspaceId?: string): KeptEntry[] {
  return entriesOf(root)
    .filter(({ workspace }) => workspaceId === undefined || workspace === workspaceSegment(workspaceId))
    .flatMap(({ workspace, id, path }) => {
      const directory = join(path, "directory");
      if (lstatSync(directory, { throwIfNoEntry: false }) === undefined) return [];
      const facts = factsOf(path);
      const entry = {
        id,
        kind: "directory" as const,
        ref: "",
        commit: "",
        at: new Date(facts.atMs).toISOString(),
        expires_at: new Date(facts.atMs + KEEP_MS).toISOString(),
        task_id: facts.taskId,
        branch: null,
        checkout: facts.path,
        files: null,
      };
      return [{ ...entry, workspace_id: workspace, repository: "", cache: directory }];
    });
}

/** A copy in a directory that does not exist or is empty; what is kept stays. */
export async function copyMoved(entry: KeptEntry, directory: string): Promise<void> {
  await copyTree(entry.cache, directory);
}

export async function dropMoved(root: string, entry: KeptEntry): Promise<void> {
  const found = entriesOf(root).find(({ id, workspace }) => id === entry.id && workspace === entry.workspace_id);
  if (found === undefined) throw new MulticaError("rescue_unknown", `${entry.id} is gone`, { exit: EXIT.notFound });
  await remove(found.path);
}

/** The workspace's directory goes with its last entry. */
async function remove(entry: string): Promise<void> {
  await removeStubborn(entry);
  await removeEmptyDirectory(dirname(entry)).catch(() => undefined);
}

/** Deletes what was moved aside more than 30 days ago; how many went. One that cannot be deleted is left for the next time. */
export async function expireMoved(root: string, nowMs: number): Promise<number> {
  let gone = 0;
  for (const { path } of entriesOf(root)) {
    if (nowMs - factsOf(path).atMs <= KEEP_MS) continue;
    await remove(path).catch(() => undefined);
    if (!(await pathExists(path))) gone += 1;
  }
  return gone;
}

function factsOf(entry: string): { atMs: number; taskId: string | null; path: string } {
  const value = parseJson(readPlain(join(entry, FACTS)) ?? "");
  const facts = isObject(value) ? value : {};
  const atMs = Date.parse(asString(facts["at"]));
  const stat = lstatSync(entry, { throwIfNoEntry: false });
  return { atMs: Number.isNaN(atMs) ? (stat?.mtimeMs ?? 0) : atMs, taskId: asString(facts["task_id"]) || null, path: asString(facts["path"]) || entry };
}

function entriesOf(root: string): { workspace: string; id: string; path: string }[] {
  const top = join(root, PLACE);
  return directoriesIn(top).flatMap((workspace) => directoriesIn(workspace).filter((path) => /^[0-9a-f]{12}$/.test(basename(path))).map((path) => ({ workspace: basename(workspace), id: basename(path), path })));
}

function directoriesIn(path: string): string[] {
  if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) return [];
  return readdirSync(path, { withFileTypes: true }).filter((entry) => entry.isDirectory()).map((entry) => join(path, entry.name)).sort();
}

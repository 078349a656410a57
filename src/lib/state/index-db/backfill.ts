import { statSync } from "node:fs";
import { relative } from "node:path";
import { systemCode } from "../../core/index.ts";
import type { Clock, Db } from "../../platform/index.ts";
import type { HomePlaces } from "./homes.ts";
import { namesStamp, readNames, writeNames } from "./names.ts";
import { PlaceBook } from "./places.ts";
import { type RootRow, knownHomes, registerHomes } from "./registry.ts";
import { readRollout } from "./rollout/read.ts";
import { canUnpack } from "./rollout/zst.ts";
import { type ParsedFile, dropFile, isUnchanged, rolloutRow, rolloutsOf, writeAlias, writeFile } from "./rows.ts";
import type { BackfillStats } from "./types.ts";
import { type Candidate, type WalkTrouble, candidateOf, walkRollouts } from "./walk.ts";
import type { Writer } from "./writer.ts";

export interface BackfillOptions {
  readonly db: Db;
  readonly writer: Writer;
  readonly clock: Clock;
  readonly places: HomePlaces;
  /** Only these homes (real paths); all unless given. */
  readonly homes?: readonly string[] | undefined;
  /** Forget what is known about the files and read them all again. */
  readonly force?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((stats: BackfillStats) => void) | undefined;
}

const BATCH_FILES = 200;
const BATCH_MS = 100;
const SWEEP_ROWS = 1000;

type Counts = { -readonly [K in keyof BackfillStats]: BackfillStats[K] };

interface Pass extends BackfillOptions {
  readonly book: PlaceBook;
  readonly counts: Counts;
  readonly startedAt: number;
}

/**
 * Brings the index up to date with the files: every root is walked, what changed is read, what is gone is forgotten
 * (state-db.md 18.3). Can be ended and begun again anywhere: what is written stays and is not read twice.
 */
export async function backfill(options: BackfillOptions): Promise<BackfillStats> {
  const { db, writer, clock, places } = options;
  const startedAt = clock.monotonic();
  const counts = { roots: 0, scanned: 0, upserted: 0, unchanged: 0, removed: 0, failed: 0, duration_ms: 0 };
  const pass: Pass = { ...options, book: new PlaceBook(places.workspacesRoot), counts, startedAt };
  const homes = knownHomes(db, places);
  const { roots, orphans } = await writer.write(() => registerHomes(db, homes, clock.now()));
  for (const root of orphans) await forgetRoot(pass, root);
  const chosen = options.homes === undefined ? null : new Set(homes.filter((home) => options.homes?.includes(home.path)).flatMap((home) => [home.sessions?.path, home.archive?.path]));
  for (const root of roots) if (chosen === null || chosen.has(root.path)) await scanRoot(pass, root);
  // Files outside of every root, which rows were made to lead to.
  await sweep(pass, null);
  for (const home of homes) if (home.kind !== "store") await scanNames(pass, home.path);
  counts.duration_ms = Math.round(clock.monotonic() - startedAt);
  return counts;
}

async function scanRoot(pass: Pass, root: RootRow): Promise<void> {
  const { db, writer, clock, counts } = pass;
  const id = root.rootId;
  counts.roots += 1;
  if (!root.complete || pass.force === true) await writer.write(() => db.prepare("UPDATE scan_root SET status = 'running' WHERE root_id = :id").run({ id }));
  const trouble: WalkTrouble = { failed: 0, entries: 0 };
  const batch = new Batch(pass, root);
  let seen = 0;
  for (const candidate of walkRollouts(root.path, trouble)) {
    pass.signal?.throwIfAborted();
    seen += 1;
    counts.scanned += 1;
    await takeIn(pass, root, candidate, batch);
    if (batch.due) await batch.write();
  }
  await batch.write();
  if (Number(db.prepare("SELECT count(*) AS n FROM rollout WHERE root_id = :id").get({ id })?.["n"] ?? 0) > seen) await sweep(pass, id);
  counts.failed += trouble.failed;
  await writer.write(() =>
    db
      .prepare("UPDATE scan_root SET status = 'complete', last_success_ms = :now, files = :seen, failed = :failed, generation = generation + 1 WHERE root_id = :id")
      .run({ id, now: clock.now(), seen, failed: trouble.failed }),
  );
}

/** One file: nothing when it is as it was, another name of a known one, or read. */
async function takeIn(pass: Pass, root: RootRow, candidate: Candidate, batch: Batch): Promise<void> {
  const { db, counts } = pass;
  const known = rolloutRow(db, candidate.plainPath);
  // A newer Node can unpack what an older one could not.
  const again = known?.status === "unreadable" || (known?.packed === true && canUnpack);
  if (known !== null && pass.force !== true && !again && known.rootId === root.rootId && isUnchanged(known, candidate)) {
    counts.unchanged += 1;
    return;
  }
  if (known === null && pass.force !== true && writeAliasOf(batch, candidate)) return;
  batch.add(await parseFile(candidate, { rootId: root.rootId, archived: root.archived, book: pass.book, nowMs: pass.clock.now() }));
}

function writeAliasOf(batch: Batch, candidate: Candidate): boolean {
  const twin = batch.pass.db
    .prepare("SELECT path FROM rollout WHERE dev = :dev AND ino = :ino AND size = :size AND mtime_us = :mtime AND status = 'ok' AND thread_id IS NOT NULL LIMIT 1")
    .get({ dev: candidate.dev, ino: candidate.ino, size: candidate.size, mtime: candidate.mtimeUs });
  // A file that was moved has one name only: the old one is forgotten, not copied.
  if (twin === undefined || isGone(String(twin["path"]))) return false;
  batch.addAlias(candidate, String(twin["path"]));
  return true;
}

/** Reads one file and all that its row needs besides. */
export async function parseFile(candidate: Candidate, context: { rootId: number | null; archived: boolean; book: PlaceBook; nowMs: number }): Promise<ParsedFile> {
  const read = await readRollout(candidate.path);
  const cwd = read.facts.cwd === null ? null : context.book.directory(read.facts.cwd);
  const link = await context.book.taskOf([cwd, candidate.path]);
  return { candidate, rootId: context.rootId, archived: context.archived, read, cwd, link, atMs: context.nowMs };
}

/** Files on their way into the index: at most 200, or what 100 ms of reading brought. */
class Batch {
  readonly pass: Pass;
  readonly #root: RootRow;
  #files: ParsedFile[] = [];
  #aliases: { candidate: Candidate; twin: string }[] = [];
  #since: number;

  constructor(pass: Pass, root: RootRow) {
    this.pass = pass;
    this.#root = root;
    this.#since = pass.clock.monotonic();
  }

  get due(): boolean {
    const count = this.#files.length + this.#aliases.length;
    return count >= BATCH_FILES || this.pass.clock.monotonic() - this.#since > BATCH_MS;
  }

  add(file: ParsedFile): void {
    if (file.read.status === "unreadable") this.pass.counts.failed += 1;
    this.#files.push(file);
  }

  addAlias(candidate: Candidate, twin: string): void {
    this.#aliases.push({ candidate, twin });
  }

  async write(): Promise<void> {
    const { db, writer, counts, clock } = this.pass;
    const [files, aliases] = [this.#files, this.#aliases];
    [this.#files, this.#aliases] = [[], []];
    const last = [...files.map((file) => file.candidate), ...aliases.map(({ candidate }) => candidate)].map(({ plainPath }) => plainPath).sort().at(-1);
    if (last !== undefined) {
      const stale = await writer.write(() => {
        const { rootId, archived, path } = this.#root;
        db.prepare("UPDATE scan_root SET watermark = :mark WHERE root_id = :rootId").run({ rootId, mark: relative(path, last) });
        return [...files.flatMap((file) => writeFile(db, file)), ...aliases.flatMap(({ candidate, twin }) => writeAlias(db, { candidate, twin, rootId, archived, atMs: clock.now() }))];
      });
      counts.upserted += files.length + aliases.length;
      await rederive(this.pass, stale);
    }
    counts.duration_ms = Math.round(clock.monotonic() - this.pass.startedAt);
    this.pass.onProgress?.(counts);
    // Timers and messages get their turn between two batches.
    await clock.sleep(0);
    this.#since = clock.monotonic();
  }
}

/** Threads whose best file is another one by now: it is read, until the row follows it. */
export async function rederive(pass: Pick<Pass, "db" | "writer" | "book" | "clock">, threadIds: readonly string[]): Promise<void> {
  const { db, writer, book, clock } = pass;
  for (const threadId of new Set(threadIds)) {
    for (let [best] = rolloutsOf(db, threadId); best !== undefined; [best] = rolloutsOf(db, threadId)) {
      const { path, rootId, archived } = best;
      const candidate = candidateOf(path);
      const file = candidate === null ? null : await parseFile(candidate, { rootId, archived, book, nowMs: clock.now() });
      const again = await writer.write(() => (file === null ? dropFile(db, path) : writeFile(db, file)));
      if (!again.includes(threadId)) break;
    }
  }
}

/** Forgets the files of a root that are gone. */
async function sweep(pass: Pass, rootId: number | null): Promise<void> {
  const { db, writer, counts, clock } = pass;
  for (let after = ""; ; ) {
    const rows = db.prepare("SELECT path FROM rollout WHERE root_id IS :rootId AND path > :after ORDER BY path LIMIT :n").all({ rootId, after, n: SWEEP_ROWS });
    const paths = rows.map((row) => String(row["path"]));
    const gone = paths.filter(isGone);
    if (gone.length > 0) await rederive(pass, await writer.write(() => gone.flatMap((path) => dropFile(db, path))));
    counts.removed += gone.length;
    const last = paths.at(-1);
    if (last === undefined || paths.length < SWEEP_ROWS) return;
    after = last;
    await clock.sleep(0);
  }
}

/** Only what is certainly not there: a directory that may not be read today is no reason to forget its files. */
export function isGone(path: string): boolean {
  const missing = (name: string): boolean => {
    try {
      return !statSync(name).isFile();
    } catch (error) {
      return systemCode(error) === "ENOENT" || systemCode(error) === "ENOTDIR";
    }
  };
  return missing(path) && missing(`${path}.zst`);
}

async function forgetRoot(pass: Pass, root: RootRow): Promise<void> {
  const { db, writer, counts } = pass;
  const paths = db.prepare("SELECT path FROM rollout WHERE root_id = :id").all({ id: root.rootId }).map((row) => String(row["path"]));
  for (let at = 0; at < paths.length; at += SWEEP_ROWS) {
    const part = paths.slice(at, at + SWEEP_ROWS);
    await rederive(pass, await writer.write(() => part.flatMap((path) => dropFile(db, path))));
  }
  counts.removed += paths.length;
  await writer.write(() => db.prepare("DELETE FROM scan_root WHERE root_id = :id").run({ id: root.rootId }));
}

async function scanNames(pass: Pass, home: string): Promise<void> {
  const { db, writer } = pass;
  const stamp = namesStamp(home);
  const known = db.prepare("SELECT names_stamp FROM home WHERE path = :home").get({ home })?.["names_stamp"] ?? null;
  if (stamp === null || (stamp === known && pass.force !== true)) return;
  const names = await readNames(home);
  await writer.write(() => {
    writeNames(db, names);
    db.prepare("UPDATE home SET names_stamp = :stamp WHERE path = :home").run({ home, stamp });
  });
}

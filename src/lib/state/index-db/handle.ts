import { existsSync, statSync } from "node:fs";
import { MulticaError } from "../../core/index.ts";
import type { Clock, Db } from "../../platform/index.ts";
import type { Logger } from "../../platform/logger.ts";
import { asStateError } from "../errors.ts";
import type { StateFinding } from "../check.ts";
import { backfill, parseFile, rederive } from "./backfill.ts";
import { type CheckOptions, checkIndex } from "./check.ts";
import type { HomePlaces } from "./homes.ts";
import { idsWithPrefix, listFromIndex, sessionRow } from "./list.ts";
import { type KnownFile, type LookupRows, lookUp } from "./lookup.ts";
import { PlaceBook } from "./places.ts";
import { rootRows } from "./registry.ts";
import { dropFile, rolloutsOf, writeFile } from "./rows.ts";
import { indexStatus } from "./status.ts";
import type { BackfillStats, FindOptions, FoundRollout, IndexStatus, SessionPage, SessionQuery, SessionRow } from "./types.ts";
import { candidateOf } from "./walk.ts";
import { type Writer, becomeWriter } from "./writer.ts";

export interface RefreshOptions {
  /** Only these homes (real paths). */
  readonly homes?: readonly string[] | undefined;
  readonly force?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((stats: BackfillStats) => void) | undefined;
}

/**
 * The rollout index (state-db.md 18, 23). Got from `openIndex` by entry points and passed on as `IndexHandle | null`; use it
 * through `findRollout` and `listSessions`, which know what to do without it. Every call may fail with `state_*` codes.
 */
export interface IndexHandle {
  readonly path: string;
  list(query: SessionQuery): Promise<SessionPage>;
  get(threadId: string): Promise<SessionRow | null>;
  /** Ids that begin with a text. */
  idsWithPrefix(prefix: string, limit: number): Promise<string[]>;
  find(threadId: string, options: FindOptions): Promise<FoundRollout | null>;
  /** The files known to carry a thread, best first; plain forms. */
  files(threadId: string): Promise<readonly KnownFile[]>;
  /** Brings the index up to date with the files; null when another process is at it. */
  refresh(options?: RefreshOptions): Promise<BackfillStats | null>;
  status(): Promise<IndexStatus>;
  /** What is wrong with it; reads only. */
  check(options: CheckOptions): Promise<StateFinding[]>;
  /** Has the file set aside and made anew from the rollouts: in a thread at once, else by who closes and opens it again. */
  discard(): Promise<void>;
  close(): Promise<void>;
}

export interface LocalIndexParts {
  readonly db: Db;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly places: HomePlaces;
  /** This connection's name in the lease. */
  readonly holder: string;
  readonly readOnly: boolean;
  /** Called after closing when a call has met damage in the file that is still at its path. */
  readonly onDamaged: () => Promise<void>;
}

/** The index over a connection of this process. */
export class LocalIndex implements IndexHandle {
  readonly path: string;
  readonly #parts: LocalIndexParts;
  readonly #inode: string;
  #damaged = false;

  constructor(parts: LocalIndexParts) {
    this.#parts = parts;
    this.path = parts.db.path;
    this.#inode = inodeOf(this.path) ?? "";
  }

  /** True when the file was deleted or replaced, or is damaged: it has to be opened anew. */
  get lost(): boolean {
    return this.#damaged || inodeOf(this.path) !== this.#inode;
  }

  list(query: SessionQuery): Promise<SessionPage> {
    return this.#guarded(async () => {
      const { page, gone } = listFromIndex(this.#parts.db, query);
      if (gone.length > 0) await this.#asWriter((writer) => this.#drop(writer, gone)).catch(() => undefined);
      return page;
    });
  }

  get(threadId: string): Promise<SessionRow | null> {
    return this.#guarded(() => Promise.resolve(sessionRow(this.#parts.db, threadId.toLowerCase())));
  }

  idsWithPrefix(prefix: string, limit: number): Promise<string[]> {
    return this.#guarded(() => Promise.resolve(idsWithPrefix(this.#parts.db, prefix, limit)));
  }

  find(threadId: string, options: FindOptions): Promise<FoundRollout | null> {
    return lookUp(this.#rows(), threadId, { ...options, clock: this.#parts.clock });
  }

  files(threadId: string): Promise<readonly KnownFile[]> {
    return this.#guarded(() => Promise.resolve(this.#rows().filesOf(threadId.toLowerCase())));
  }

  refresh(options: RefreshOptions = {}): Promise<BackfillStats | null> {
    const { db, clock, places } = this.#parts;
    return this.#guarded(() => this.#asWriter((writer) => backfill({ db, clock, places, writer, ...options })));
  }

  status(): Promise<IndexStatus> {
    return this.#guarded(() => Promise.resolve(indexStatus(this.#parts.db)));
  }

  check(options: CheckOptions): Promise<StateFinding[]> {
    return this.#guarded(() => checkIndex(this.#parts.db, options, this.#parts.clock.now()));
  }

  discard(): Promise<void> {
    this.#damaged = true;
    return Promise.resolve();
  }

  async close(): Promise<void> {
    if (!this.#parts.db.isOpen) return;
    this.#parts.db.close();
    if (this.#damaged && inodeOf(this.path) === this.#inode) await this.#parts.onDamaged();
  }

  #rows(): LookupRows {
    const { db } = this.#parts;
    return {
      filesOf: (id) => this.#attempt(() => rolloutsOf(db, id).map((row): KnownFile => ({ path: row.path, archived: row.archived }))),
      repair: async (found, wrong) => {
        const done = await this.#guarded(() => this.#asWriter((writer) => this.#repair(writer, found, wrong)));
        if (done !== null) this.#parts.logger.info("rollout index repaired", { path: found.path, wrong: wrong.length });
        return done !== null;
      },
    };
  }

  /** The right file is read anew, and so are those that were taken for it: a row may hold another thread's title. */
  async #repair(writer: Writer, found: { path: string; archived: boolean }, wrong: readonly string[]): Promise<boolean> {
    const { db, clock, places } = this.#parts;
    const book = new PlaceBook(places.workspacesRoot);
    const roots = rootRows(db);
    const stale: string[] = [];
    for (const path of [...wrong, ...(found.path === "" ? [] : [found.path])]) {
      const candidate = candidateOf(path);
      const root = roots.find((row) => path.startsWith(`${row.path}/`));
      const archived = root?.archived ?? found.archived;
      const file = candidate === null ? null : await parseFile(candidate, { rootId: root?.rootId ?? null, archived, book, nowMs: clock.now() });
      stale.push(...(await writer.write(() => (file === null ? dropFile(db, path) : writeFile(db, file)))));
    }
    await rederive({ db, writer, book, clock }, stale);
    return true;
  }

  async #drop(writer: Writer, paths: readonly string[]): Promise<void> {
    const { db, clock, places } = this.#parts;
    const stale = await writer.write(() => paths.flatMap((path) => dropFile(db, path)));
    await rederive({ db, writer, book: new PlaceBook(places.workspacesRoot), clock }, stale);
  }

  /** Null when this connection may not write, or another process is writing. */
  async #asWriter<T>(fn: (writer: Writer) => Promise<T>): Promise<T | null> {
    const { db, clock, holder, readOnly } = this.#parts;
    if (readOnly) return null;
    const writer = await becomeWriter({ db, clock, holder });
    if ("heldBy" in writer) return null;
    try {
      return await fn(writer);
    } finally {
      writer.release();
    }
  }

  async #guarded<T>(fn: () => Promise<T>): Promise<T> {
    try {
      return await fn();
    } catch (error) {
      throw this.#note(error);
    }
  }

  #attempt<T>(fn: () => T): T {
    try {
      return fn();
    } catch (error) {
      throw this.#note(error);
    }
  }

  #note(error: unknown): MulticaError | unknown {
    const failure = error instanceof MulticaError || error instanceof Error ? asStateError(error, this.path) : error;
    if (failure instanceof MulticaError && failure.code === "state_corrupt") this.#damaged = true;
    return failure;
  }
}

function inodeOf(path: string): string | null {
  if (!existsSync(path)) return null;
  const stat = statSync(path, { bigint: true });
  return `${stat.dev}:${stat.ino}`;
}

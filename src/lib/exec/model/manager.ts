import type { ReattachSummary } from "../types.ts";

/** What the model needs to know of a process. */
export interface Managed {
  readonly processId: string;
  readonly lastUsedMs: number;
  readonly exited: boolean;
  /** Never pruned. */
  readonly keep: boolean;
}

const PROTECTED = 8;

/**
 * The processes of one loaded thread (exec-sessions.md 3, 11, 12). Every call is synchronous: nothing can look between
 * two halves of a move.
 */
export class ProcessManager<E extends Managed> {
  readonly #entries = new Map<string, E>();
  readonly #reserved = new Set<string>();

  /** Processes and places taken by starts. */
  get size(): number {
    return this.#reserved.size;
  }

  get(processId: string): E | undefined {
    return this.#entries.get(processId);
  }

  list(): E[] {
    return sorted(this.#entries.values());
  }

  /** True when the id is somebody's, or will be. */
  has(processId: string): boolean {
    return this.#reserved.has(processId);
  }

  /** Takes an id before anything is started with it. False when it is taken. */
  reserve(processId: string): boolean {
    if (this.#reserved.has(processId)) return false;
    this.#reserved.add(processId);
    return true;
  }

  /** Gives an id back whose start failed; one with a process stays. */
  release(processId: string): void {
    if (!this.#entries.has(processId)) this.#reserved.delete(processId);
  }

  store(entry: E): void {
    this.#reserved.add(entry.processId);
    this.#entries.set(entry.processId, entry);
  }

  /** Removes entry and reservation in one step; only that very entry. */
  remove(entry: E): boolean {
    if (this.#entries.get(entry.processId) !== entry) return false;
    this.#entries.delete(entry.processId);
    this.#reserved.delete(entry.processId);
    return true;
  }

  /** Takes all entries, or those with the given ids, out; in the order of their ids. */
  export(processIds?: readonly string[]): E[] {
    const chosen = this.list().filter((entry) => processIds === undefined || processIds.includes(entry.processId));
    for (const entry of chosen) this.remove(entry);
    return chosen;
  }

  /** Takes entries in under their own ids. One whose id is taken, or reserved, is skipped: who is here has the say. */
  import(entries: readonly E[]): { readonly summary: ReattachSummary; readonly skipped: E[] } {
    const skipped = entries.filter((entry) => !this.reserve(entry.processId));
    for (const entry of entries) if (!skipped.includes(entry)) this.#entries.set(entry.processId, entry);
    const skippedIds = ids(skipped);
    return {
      summary: { reattached_count: entries.length - skipped.length, skipped_count: skipped.length, skipped_process_ids: skippedIds },
      skipped,
    };
  }

  /** Who gives way to a new process (exec-sessions.md 11, 21); null when nobody may. `spared`: so many recent ones are safe. */
  pruneCandidate(spared = PROTECTED): E | null {
    const byUse = [...this.#entries.values()].sort((a, b) => b.lastUsedMs - a.lastUsedMs);
    const open = byUse.slice(spared).filter((entry) => !entry.keep);
    return open.findLast((entry) => entry.exited) ?? open.at(-1) ?? null;
  }
}

/** Ids in ascending order as text. */
export function ids(entries: readonly Managed[]): string[] {
  return entries.map((entry) => entry.processId).sort(byText);
}

function sorted<E extends Managed>(entries: Iterable<E>): E[] {
  return [...entries].sort((a, b) => byText(a.processId, b.processId));
}

function byText(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

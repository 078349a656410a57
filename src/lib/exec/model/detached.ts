import type { Managed } from "./manager.ts";

/** Has an order among processes that had the same key. */
export interface Parked extends Managed {
  readonly threadId: string;
  readonly generation: number;
}

/** Detached processes by thread and id: exactly one a key (exec-sessions.md 12.3). Synchronous, as the manager is. */
export class DetachedStore<E extends Parked> {
  readonly #entries = new Map<string, E>();

  has(threadId: string, processId: string): boolean {
    return this.#entries.has(key(threadId, processId));
  }

  /** Of one thread, or of all; by thread and id. */
  list(threadId?: string): E[] {
    const chosen = [...this.#entries.values()].filter((entry) => threadId === undefined || entry.threadId === threadId);
    return chosen.sort((a, b) => (key(a.threadId, a.processId) < key(b.threadId, b.processId) ? -1 : 1));
  }

  /** Stores what was just exported. Answers the older processes that were stored under the same keys: they must be ended. */
  park(entries: readonly E[]): E[] {
    return entries.flatMap((entry) => {
      const before = this.#entries.get(key(entry.threadId, entry.processId));
      this.#entries.set(key(entry.threadId, entry.processId), entry);
      return before === undefined || before === entry ? [] : [before];
    });
  }

  /** Takes all of a thread out, or those with the given ids, in the order of their ids. */
  take(threadId: string, processIds?: readonly string[]): E[] {
    const chosen = this.list(threadId).filter((entry) => processIds === undefined || processIds.includes(entry.processId));
    for (const entry of chosen) this.remove(entry);
    return chosen;
  }

  /**
   * Gives back what could not be attached. When a key was taken meanwhile, the newer process stays and the older one is
   * answered, to be ended.
   */
  putBack(entries: readonly E[]): E[] {
    return entries.flatMap((entry) => {
      const at = key(entry.threadId, entry.processId);
      const there = this.#entries.get(at);
      if (there !== undefined && there.generation > entry.generation) return [entry];
      this.#entries.set(at, entry);
      return there === undefined || there === entry ? [] : [there];
    });
  }

  remove(entry: E): boolean {
    const at = key(entry.threadId, entry.processId);
    return this.#entries.get(at) === entry && this.#entries.delete(at);
  }
}

function key(threadId: string, processId: string): string {
  return `${threadId}\0${processId}`;
}

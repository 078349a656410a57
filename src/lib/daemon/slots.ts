/**
 * Numbered permits for running tasks: indices 0 … count − 1, lowest free one first (daemon.md 10.1).
 * A slot is held before any claim request is sent, so that no claimed task waits for capacity.
 */
export class Slots {
  readonly count: number;
  readonly #free: boolean[];
  readonly #waiters = new Set<() => void>();

  constructor(count: number) {
    this.count = Math.max(1, Math.floor(count));
    this.#free = new Array<boolean>(this.count).fill(true);
  }

  get freeCount(): number {
    return this.#free.filter(Boolean).length;
  }

  /** The lowest free index, now held, or null when all are taken. */
  tryTake(): number | null {
    const index = this.#free.indexOf(true);
    if (index === -1) return null;
    this.#free[index] = false;
    return index;
  }

  /** Up to `max` free indices, lowest first, all now held. */
  takeFree(max: number): number[] {
    const taken: number[] = [];
    while (taken.length < max) {
      const index = this.tryTake();
      if (index === null) break;
      taken.push(index);
    }
    return taken;
  }

  /** Gives a slot back. Giving back a free slot changes nothing. */
  release(index: number): void {
    if (this.#free[index] !== false) return;
    this.#free[index] = true;
    for (const wake of [...this.#waiters]) wake();
  }

  /** Calls `listener` after every release until the returned function is called. */
  onRelease(listener: () => void): () => void {
    this.#waiters.add(listener);
    return () => this.#waiters.delete(listener);
  }
}

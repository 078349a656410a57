import type { ClaimAnswer } from "./claim-steps.ts";

export interface LastClaim {
  /** Epoch milliseconds at which the request began: what was queued later cannot have been seen by it. */
  readonly at: number;
  readonly kind: ClaimAnswer["kind"];
  /** Why it failed; "" when it did not. */
  readonly error: string;
}

/** When each runtime was last asked for, and what came of it: for those who want to know why a task waits. */
export class ClaimHistory {
  #last = new Map<string, LastClaim>();

  note(runtimeIds: readonly string[], at: number, answer: ClaimAnswer): void {
    const entry: LastClaim = { at, kind: answer.kind, error: answer.kind === "failed" ? answer.error : "" };
    for (const id of runtimeIds) this.#last.set(id, entry);
  }

  last(runtimeId: string): LastClaim | undefined {
    return this.#last.get(runtimeId);
  }

  /** Forgets runtimes that are no longer there. */
  keep(runtimeIds: readonly string[]): void {
    if (this.#last.size <= runtimeIds.length) return;
    const known = new Set(runtimeIds);
    this.#last = new Map([...this.#last].filter(([id]) => known.has(id)));
  }
}

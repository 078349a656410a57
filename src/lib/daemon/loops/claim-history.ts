import type { ClaimAnswer } from "./claim-answer.ts";

export interface LastClaim {
  /** Epoch milliseconds at which the request began: what was queued later cannot have been seen by it. */
  readonly at: number;
  readonly kind: ClaimAnswer["kind"];
  /** Why it failed; "" when it did not. */
  readonly error: string;
  /** It brought as many tasks as were asked for: there may be more. */
  readonly full: boolean;
}

/** When each runtime was last asked for, and what came of it: for those who want to know why a task waits. */
export class ClaimHistory {
  #last = new Map<string, LastClaim>();

  /** A server without the batch route has not been asked for anything yet: that is no claim. */
  note(runtimeIds: readonly string[], asked: { readonly at: number; readonly max: number }, answer: ClaimAnswer): void {
    if (answer.kind === "unsupported") return;
    const entry: LastClaim = {
      at: asked.at,
      kind: answer.kind,
      error: answer.kind === "failed" ? answer.error : "",
      full: answer.kind === "tasks" && answer.tasks.length >= asked.max,
    };
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

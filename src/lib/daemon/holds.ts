/** Why a provider may not be offered any more, as one look at it has shown. */
export interface Verdict {
  readonly provider: string;
  readonly evidence: string;
  /** Told to the server with the deregistration; null: nothing structured to say. */
  readonly code: "not_executable" | null;
}

interface Hold extends Verdict {
  readonly sequence: number;
}

/** The reason the server is given for a runtime that is taken offline (server-api.md 4.2). */
export interface OfflineReason {
  readonly code: string;
  readonly detail: string;
}

/**
 * Providers that were taken offline because their program is certainly of no use (daemon.md 5.8). While a hold stands no
 * answer of the server may bring their built-in runtimes back; a later look that finds the program well releases it.
 */
export class Holds {
  readonly #held = new Map<string, Hold>();
  #sequence = 0;

  /** Taken before a look begins: it releases only holds that are older. */
  get sequence(): number {
    return this.#sequence;
  }

  hold(verdict: Verdict): void {
    this.#held.set(verdict.provider, { ...verdict, sequence: (this.#sequence += 1) });
  }

  /** A look that began at `sequence` found the provider well. True when that ended a hold. */
  release(provider: string, sequence: number): boolean {
    const hold = this.#held.get(provider);
    if (hold === undefined || hold.sequence > sequence) return false;
    return this.#held.delete(provider);
  }

  isHeld(provider: string): boolean {
    return this.#held.has(provider);
  }

  reasonOf(provider: string): OfflineReason | null {
    const hold = this.#held.get(provider);
    return hold === undefined || hold.code === null ? null : { code: hold.code, detail: hold.evidence };
  }

  list(): readonly Verdict[] {
    return [...this.#held.values()];
  }
}

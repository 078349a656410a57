import type { DaemonContext } from "./context.ts";
import type { Registrar } from "./register.ts";

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

export interface DemotionParts extends Pick<DaemonContext, "barrier" | "logger" | "runtimes" | "rootSignal"> {
  readonly holds: Holds;
  readonly registrar: Pick<Registrar, "deregister">;
}

/**
 * Takes the built-in runtimes of these providers offline, unless something is claimed, being claimed or running: then the
 * next look decides again. Forgetting them and writing the hold down is one step without a pause.
 */
export async function demote(parts: DemotionParts, verdicts: readonly Verdict[]): Promise<void> {
  const { barrier, holds, logger, runtimes, rootSignal } = parts;
  const due = verdicts.filter(({ provider }) => !holds.isHeld(provider) && (runtimes.builtins.has(provider) || runtimes.hasBuiltin(provider)));
  if (due.length === 0) return;
  if (!barrier.trySetBarrier()) {
    logger.info("an agent CLI is no longer usable; it is taken offline when nothing runs", { providers: due.map(({ provider }) => provider) });
    return;
  }
  const removed: { readonly workspaceId: string; readonly ids: readonly string[]; readonly provider: string }[] = [];
  try {
    for (const verdict of due) {
      holds.hold(verdict);
      removed.push(...runtimes.removeBuiltins(verdict.provider).map((one) => ({ ...one, provider: verdict.provider })));
      logger.warn("agent CLI no longer usable, runtimes offline", { provider: verdict.provider, evidence: verdict.evidence });
    }
  } finally {
    barrier.releaseBarrier();
  }
  runtimes.changes.notify();
  for (const { workspaceId, ids, provider } of removed) {
    if (rootSignal.aborted) return;
    await parts.registrar.deregister(workspaceId, ids, holds.reasonOf(provider));
  }
}

import type { DaemonContext } from "./context.ts";
import type { Holds, Verdict } from "./holds.ts";
import type { Registrar } from "./register.ts";

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

import { errorText } from "../core/index.ts";
import type { DaemonContext } from "./context.ts";
import type { Registrar } from "./register.ts";

interface Gate {
  /** Before this time nobody may try: a peer holds the attempt or a failure is being paused. */
  nextAttemptAt: number | null;
  lastSuccessAt: number | null;
}

type Parts = Pick<DaemonContext, "clock" | "limits" | "logger" | "runtimes" | "rootSignal">;

/**
 * Recovery of runtimes the server has deleted (daemon.md 7.7). Any number of callers may report the same
 * or sibling ids within milliseconds: one wave of deletions leads to one registration of the workspace.
 */
export class RuntimeGone {
  readonly #parts: Parts;
  readonly #registrar: Pick<Registrar, "register" | "recoverOrphans">;
  readonly #inFlight = new Set<string>();
  readonly #gates = new Map<string, Gate>();

  constructor(parts: Parts, registrar: Pick<Registrar, "register" | "recoverOrphans">) {
    this.#parts = parts;
    this.#registrar = registrar;
  }

  /** Never throws; resolves when this report is dealt with. Callers must not await it: it stops their own loop. */
  async report(runtimeId: string): Promise<void> {
    const entered = this.#parts.clock.monotonic();
    if (runtimeId === "" || this.#inFlight.has(runtimeId)) return;
    this.#inFlight.add(runtimeId);
    try {
      await this.#recover(runtimeId, entered);
    } finally {
      this.#inFlight.delete(runtimeId);
    }
  }

  async #recover(runtimeId: string, entered: number): Promise<void> {
    const { clock, limits, logger, runtimes, rootSignal } = this.#parts;
    const workspace = runtimes.remove(runtimeId);
    if (workspace === null) return;
    logger.info("runtime deleted server-side; pruned from local state", { workspace: workspace.id, runtime: runtimeId });
    runtimes.changes.notify();
    const gate = this.#gate(workspace.id);
    if (gate.nextAttemptAt !== null && gate.nextAttemptAt > entered) return;
    if (gate.lastSuccessAt !== null && gate.lastSuccessAt >= entered) return;
    gate.nextAttemptAt = entered + limits.goneAttemptWindow;
    try {
      const outcome = await this.#registrar.register(workspace.id, undefined, { recover: true });
      gate.lastSuccessAt = clock.monotonic();
      gate.nextAttemptAt = null;
      if (outcome.kind !== "registered") return;
      for (const id of outcome.fresh) logger.info("re-registered runtime after server-side deletion", { workspace: workspace.id, runtime: id });
      await this.#registrar.recoverOrphans(outcome.fresh);
    } catch (error) {
      if (rootSignal.aborted) return;
      gate.nextAttemptAt = clock.monotonic() + limits.goneFailurePause;
      logger.warn("re-register after server-side deletion failed", { workspace: workspace.id, error: errorText(error) });
    }
  }

  #gate(workspaceId: string): Gate {
    let gate = this.#gates.get(workspaceId);
    if (gate === undefined) {
      gate = { nextAttemptAt: null, lastSuccessAt: null };
      this.#gates.set(workspaceId, gate);
    }
    return gate;
  }
}

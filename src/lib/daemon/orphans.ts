import { errorText } from "../core/index.ts";
import type { DaemonContext } from "./context.ts";

export interface OrphanParts extends Pick<DaemonContext, "api" | "clock" | "limits" | "logger" | "runtimes" | "rootSignal"> {
  /** True while a task of this runtime runs in this process. */
  usesRuntime(runtimeId: string): boolean;
  /** Runtimes that another daemon of this machine serves too: their tasks may be running there. */
  servedElsewhere(): Promise<ReadonlySet<string>>;
  /** Delivers the results of a runtime's tasks that wait here; false when some still wait after `ms`. */
  flushReports(runtimeId: string, ms: number): Promise<boolean>;
}

/** Orphan recovery of runtimes this process never tracked before (daemon.md 7.8). */
export class OrphanRecovery {
  readonly #parts: OrphanParts;
  /** Runtimes whose orphans the server has not been told of yet: what would be claimed now would be given up by that. */
  readonly #waiting = new Set<string>();

  constructor(parts: OrphanParts) {
    this.#parts = parts;
  }

  /** The caller will call `recover` for these next; until then no task of theirs may be claimed. */
  expect(runtimeIds: readonly string[]): void {
    for (const id of runtimeIds) this.#waiting.add(id);
  }

  /**
   * Tells the server that this process runs nothing on these runtimes: only for ids it has never tracked before (daemon.md 7.8).
   * Results that wait here go first, because the server would throw them away afterwards (state-db.md 17, step 8).
   */
  async recover(runtimeIds: readonly string[]): Promise<void> {
    const { limits, logger, rootSignal } = this.#parts;
    const flushed = await Promise.all(runtimeIds.map((id) => this.#parts.flushReports(id, limits.reportFlush)));
    for (const [index, id] of runtimeIds.entries()) {
      if (rootSignal.aborted) return;
      if (flushed[index] === true) {
        await this.#callRecover(id);
        continue;
      }
      logger.warn("results of this runtime still wait; until they are delivered it takes no new tasks", { runtime: id });
      void this.#recoverLater(id);
    }
  }

  /** False while the server may be told to give up this runtime's tasks. */
  mayClaim(runtimeId: string): boolean {
    return !this.#waiting.has(runtimeId);
  }

  /** Flush and call again until the results are delivered, or until patience ends. */
  async #recoverLater(id: string): Promise<void> {
    const { clock, limits, runtimes, rootSignal } = this.#parts;
    const end = clock.monotonic() + limits.reportFlushPatience;
    for (;;) {
      await clock.sleep(limits.reportFlushAgain, rootSignal).catch(() => undefined);
      if (rootSignal.aborted || runtimes.get(id) === undefined) break;
      const flushed = await this.#parts.flushReports(id, limits.reportFlush);
      if (flushed || clock.monotonic() >= end) return this.#callRecover(id);
    }
    this.#waiting.delete(id);
  }

  async #callRecover(id: string): Promise<void> {
    const { api, logger, rootSignal, runtimes } = this.#parts;
    try {
      if (this.#parts.usesRuntime(id)) return;
      if ((await this.#parts.servedElsewhere()).has(id)) {
        logger.warn("another profile's daemon serves this runtime too; its tasks are left alone", { runtime: id });
        return;
      }
      const answer = await api.recoverOrphans(id, { signal: rootSignal });
      if (answer.orphaned > 0) logger.info("recovered orphaned tasks", { runtime: id, orphaned: answer.orphaned, retried: answer.retried });
    } catch (error) {
      logger.warn("orphan recovery failed", { runtime: id, error: errorText(error) });
    } finally {
      this.#waiting.delete(id);
      runtimes.changes.notify();
    }
  }
}

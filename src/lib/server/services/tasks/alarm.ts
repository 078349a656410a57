import { errorText } from "../../../core/index.ts";
import type { ServerContext } from "../../context.ts";
import { all } from "../../db/query.ts";
import { inTransaction } from "../../transaction.ts";
import { promoteDeferred } from "./follow-ups.ts";

/**
 * Puts deferred tasks into the queue when their time comes, so that their daemon hears of them at once and not with its
 * next poll (server-api.md 10.8, 11.1). Only a convenience: a claim promotes what is due by itself. Returns how to stop it.
 */
export function startAlarm(ctx: ServerContext): () => void {
  const timers = new Set<() => void>();
  const promote = (runtimeId: string): void => {
    try {
      inTransaction(ctx, (tx) => promoteDeferred(tx, runtimeId));
    } catch (error) {
      ctx.logger.error("deferred tasks were not looked at", { runtime: runtimeId, error: errorText(error) });
    }
  };
  const set = (runtimeId: string, fireAt: number): void => {
    const cancel = ctx.clock.setTimer(Math.max(0, fireAt - ctx.clock.now()), () => {
      timers.delete(cancel);
      promote(runtimeId);
    });
    timers.add(cancel);
  };
  const waiting = "SELECT DISTINCT runtime_id, fire_at FROM task WHERE status = 'deferred' AND fire_at IS NOT NULL";
  for (const row of all<{ runtime_id: string; fire_at: number }>(ctx.db, waiting)) set(row.runtime_id, row.fire_at);
  const unsubscribe = ctx.bus.subscribe((event) => {
    if (event.type === "task_deferred") set(event.runtimeId, event.fireAt);
  });
  return () => {
    unsubscribe();
    for (const cancel of timers) cancel();
  };
}

import { one } from "../../db/query.ts";
import type { RuntimeRow } from "../../rows/index.ts";
import type { Tx } from "../../transaction.ts";

/** True while the runtime's daemon is there: online, and heard of in time (server-api.md 11.3). */
export function isAlive(tx: Tx, runtime: Pick<RuntimeRow, "status" | "last_seen_at">): boolean {
  return runtime.status === "online" && (runtime.last_seen_at ?? 0) > tx.now - tx.thresholds.runtimeOfflineMs;
}

/** The same by id; false for a runtime that is gone. */
export function isRuntimeAlive(tx: Tx, runtimeId: string | null): boolean {
  if (runtimeId === null) return false;
  const row = one<RuntimeRow>(tx.db, "SELECT * FROM agent_runtime WHERE id = :runtimeId", { runtimeId });
  return row !== undefined && isAlive(tx, row);
}

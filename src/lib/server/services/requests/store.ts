import { one, all, insert, run, update } from "../../db/query.ts";
import { notFound } from "../../http-error.ts";
import { type RequestKind, type RuntimeRequestRow, objectColumn } from "../../rows/index.ts";
import type { Tx } from "../../transaction.ts";
import { MAX_PENDING_IMPORTS, type PendingActions } from "../../../wire/index.ts";

interface Patience {
  /** How long a request waits for a heartbeat. */
  readonly pendingMs: number;
  /** How long a daemon may work on it since it last said something. */
  readonly runningMs: number;
  /** How long the outcome can be read. */
  readonly keptMs: number;
}

/** server-api.md 9. */
const PATIENCE: Readonly<Record<RequestKind, Patience>> = {
  update: { pendingMs: 120_000, runningMs: 150_000, keptMs: 300_000 },
  models: { pendingMs: 30_000, runningMs: 60_000, keptMs: 120_000 },
  local_skills: { pendingMs: 180_000, runningMs: 60_000, keptMs: 300_000 },
  skill_import: { pendingMs: 180_000, runningMs: 60_000, keptMs: 300_000 },
};

export interface NewRequest {
  readonly kind: RequestKind;
  readonly runtimeId: string;
  readonly input: Readonly<Record<string, unknown>>;
  readonly userId: string;
}

/** Stores a request and hints at it to the daemon; it is handed over by the runtime's next heartbeat. */
export function createRequest(tx: Tx, request: NewRequest): RuntimeRequestRow {
  const id = tx.newId();
  insert(tx.db, "runtime_request", {
    id,
    kind: request.kind,
    runtime_id: request.runtimeId,
    status: "pending",
    input: JSON.stringify(request.input),
    created_by: request.userId,
    created_at: tx.now,
    updated_at: tx.now,
  });
  tx.emit({ type: "pending_work", runtimeId: request.runtimeId, kind: request.kind === "models" ? "model_list" : request.kind });
  return loadRequest(tx, request.runtimeId, request.kind, id);
}

/** A request of the runtime that has not ended, or undefined. */
export function openRequest(tx: Tx, runtimeId: string, kind: RequestKind, states: readonly ("pending" | "running")[]): RuntimeRequestRow | undefined {
  expireRequests(tx);
  const sql = `SELECT * FROM runtime_request WHERE runtime_id = :runtimeId AND kind = :kind
    AND status IN (SELECT value FROM json_each(:states)) ORDER BY created_at, rowid LIMIT 1`;
  return one<RuntimeRequestRow>(tx.db, sql, { runtimeId, kind, states: JSON.stringify(states) });
}

/** The request as it stands now; 404 `request not found`, for updates `update not found`. */
export function loadRequest(tx: Tx, runtimeId: string, kind: RequestKind, id: string): RuntimeRequestRow {
  expireRequests(tx);
  const sql = "SELECT * FROM runtime_request WHERE id = :id AND runtime_id = :runtimeId AND kind = :kind";
  const row = one<RuntimeRequestRow>(tx.db, sql, { id, runtimeId, kind });
  if (row === undefined) throw notFound(kind === "update" ? "update" : "request");
  return row;
}

/** What a daemon's report changes. A request that has ended stays as it is: false. */
export function settleRequest(
  tx: Tx,
  row: RuntimeRequestRow,
  outcome: { readonly status: RuntimeRequestRow["status"]; readonly result?: Readonly<Record<string, unknown>>; readonly error?: string | null },
): boolean {
  if (row.status !== "pending" && row.status !== "running") return false;
  const columns = { status: outcome.status, result: JSON.stringify(outcome.result ?? {}), error: outcome.error || null, updated_at: tx.now };
  return update(tx.db, "runtime_request", row.id, columns) === 1;
}

/**
 * Takes what waits for the runtime: one request a kind, up to ten imports when the daemon reads lists. Whatever is in
 * the answer is `running` from now on and is not handed over again (server-api.md 4.3).
 */
export function popRequests(tx: Tx, runtimeId: string, batchImports: boolean): PendingActions {
  const sql = "SELECT * FROM runtime_request WHERE runtime_id = :runtimeId AND status = 'pending' ORDER BY created_at, rowid";
  // Most beats find nothing: they must not pay for the expiry of other runtimes' requests.
  if (one(tx.db, `${sql} LIMIT 1`, { runtimeId }) === undefined) return {};
  expireRequests(tx);
  const pending = all<RuntimeRequestRow>(tx.db, sql, { runtimeId });
  const take = (kind: RequestKind, count: number): RuntimeRequestRow[] => {
    const taken = pending.filter((row) => row.kind === kind).slice(0, count);
    for (const row of taken) update(tx.db, "runtime_request", row.id, { status: "running", updated_at: tx.now });
    return taken;
  };
  const [update_] = take("update", 1);
  const [models] = take("models", 1);
  const [skills] = take("local_skills", 1);
  const imports = take("skill_import", batchImports ? MAX_PENDING_IMPORTS : 1).map((row) => ({ id: row.id, skill_key: inputText(row, "skill_key") }));
  return {
    ...(update_ === undefined ? {} : { pending_update: { id: update_.id, target_version: inputText(update_, "target_version") } }),
    ...(models === undefined ? {} : { pending_model_list: { id: models.id } }),
    ...(skills === undefined ? {} : { pending_local_skills: { id: skills.id } }),
    ...(imports.length === 0 ? {} : batchImports ? { pending_local_skill_imports: imports } : { pending_local_skill_import: imports[0] }),
  };
}

/** Ends what nobody took or nobody finished in time, and forgets outcomes that have been readable long enough. */
export function expireRequests(tx: Tx): void {
  for (const [kind, patience] of Object.entries(PATIENCE)) {
    const at = { kind, now: tx.now };
    run(
      tx.db,
      `UPDATE runtime_request SET status = 'timeout', updated_at = :now,
         error = CASE status WHEN 'pending' THEN 'the daemon did not pick the request up in time' ELSE 'the daemon did not answer in time' END
       WHERE kind = :kind AND ((status = 'pending' AND created_at <= :pending) OR (status = 'running' AND updated_at <= :running))`,
      { ...at, pending: tx.now - patience.pendingMs, running: tx.now - patience.runningMs },
    );
    run(tx.db, "DELETE FROM runtime_request WHERE kind = :kind AND status NOT IN ('pending', 'running') AND updated_at <= :kept", {
      kind,
      kept: tx.now - patience.keptMs,
    });
  }
}

export function inputText(row: RuntimeRequestRow, key: string): string {
  const value = objectColumn(row.input)[key];
  return typeof value === "string" ? value : "";
}

import { randomHex, sha256Hex } from "../../core/index.ts";
import { insert, one, run } from "../db/query.ts";
import type { TokenRow } from "../rows/index.ts";
import type { Tx } from "../transaction.ts";

const PREFIX = { personal: "mul_", task: "mat_", daemon: "mdt_" } as const;

interface NewToken {
  readonly kind: TokenRow["kind"];
  readonly userId: string;
  readonly name: string;
  /** Epoch milliseconds; null never expires. */
  readonly expiresAt: number | null;
  readonly agentId?: string;
  readonly taskId?: string;
  readonly workspaceId?: string;
}

/** Mints a token; its text is in the answer and nowhere else: the table has only the hash (server-api.md 2.1). */
export function mintTokenRow(tx: Tx, input: NewToken): { text: string; row: TokenRow } {
  const text = `${PREFIX[input.kind]}${randomHex(20)}`;
  const row: TokenRow = {
    id: tx.newId(),
    kind: input.kind,
    hash: sha256Hex(text),
    prefix: text.slice(0, 12),
    user_id: input.userId,
    name: input.name,
    agent_id: input.agentId ?? null,
    task_id: input.taskId ?? null,
    workspace_id: input.workspaceId ?? null,
    daemon_id: null,
    expires_at: input.expiresAt,
    last_used_at: null,
    revoked_at: null,
    created_at: tx.now,
  };
  insert(tx.db, "token", { ...row });
  return { text, row };
}

/** A `mat_` token for one claimed task: bound to (user, agent, task, workspace), 24 h (server-api.md 14.2). */
export function mintTaskToken(tx: Tx, bound: { userId: string; agentId: string; taskId: string; workspaceId: string }): string {
  return mintTokenRow(tx, { kind: "task", name: "task", expiresAt: tx.now + tx.thresholds.taskTokenMs, ...bound }).text;
}

/** Ends every token of a task: with its run its rights are over (server-api.md 14.2). */
export function deleteTaskTokens(tx: Tx, taskId: string): void {
  run(tx.db, "DELETE FROM token WHERE task_id = :taskId", { taskId });
}

/** The usable row of a token text: known, not revoked, not expired. */
export function findToken(db: Tx["db"], text: string, nowMs: number): TokenRow | undefined {
  const row = one<TokenRow>(db, "SELECT * FROM token WHERE hash = :hash AND revoked_at IS NULL", { hash: sha256Hex(text) });
  if (row === undefined || !text.startsWith(PREFIX[row.kind])) return undefined;
  return row.expires_at !== null && row.expires_at <= nowMs ? undefined : row;
}

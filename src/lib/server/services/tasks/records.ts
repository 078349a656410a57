import { type JsonValue, redactText, redactValue } from "../../../core/index.ts";
import type { Db } from "../../../platform/index.ts";
import type { TaskMessage, UsageRow } from "../../../wire/index.ts";
import { all, run } from "../../db/query.ts";
import { notFound } from "../../http-error.ts";
import { type TaskMessageRow, taskMessageWire } from "../../rows/index.ts";
import type { Tx } from "../../transaction.ts";
import { amendTurn } from "../chat/cancelled.ts";
import { findTask } from "./store.ts";

/** Stores a batch of a run's transcript, redacted once more; a repeated `seq` replaces its row (server-api.md 6.5). */
export function recordMessages(tx: Tx, taskId: string, messages: readonly TaskMessage[]): void {
  const task = findTask(tx.db, taskId);
  if (task === undefined) throw notFound("task");
  for (const message of messages) {
    run(
      tx.db,
      `INSERT OR REPLACE INTO task_message (task_id, seq, type, tool, content, input, output, created_at)
       VALUES (:taskId, :seq, :type, :tool, :content, :input, :output, :now)`,
      {
        taskId,
        seq: message.seq,
        type: message.type,
        tool: message.tool ?? null,
        content: redacted(message.content),
        input: message.input === undefined ? null : JSON.stringify(redactValue(message.input as JsonValue)),
        output: redacted(message.output),
        now: tx.now,
      },
    );
  }
  amendTurn(tx, task);
}

/** The transcript from `since` (exclusive) on, ascending. */
export function listMessages(db: Db, taskId: string, since: number): ReturnType<typeof taskMessageWire>[] {
  const task = findTask(db, taskId);
  if (task === undefined) throw notFound("task");
  const rows = all<TaskMessageRow>(db, "SELECT * FROM task_message WHERE task_id = :taskId AND seq > :since ORDER BY seq", {
    taskId,
    since,
  });
  return rows.map((row) => taskMessageWire(row, task.issue_id));
}

/** Upserts token counts per (task, provider, model): the latest report replaces the former (server-api.md 6.6). */
export function recordUsage(tx: Tx, taskId: string, usage: readonly UsageRow[]): void {
  if (findTask(tx.db, taskId) === undefined) throw notFound("task");
  for (const row of usage) {
    run(
      tx.db,
      `INSERT INTO task_usage (task_id, provider, model, input_tokens, output_tokens, cache_read_tokens,
         cache_write_tokens, cost_usd_ticks, created_at, updated_at)
       VALUES (:taskId, :provider, :model, :input, :output, :cacheRead, :cacheWrite, :cost, :now, :now)
       ON CONFLICT (task_id, provider, model) DO UPDATE SET input_tokens = :input, output_tokens = :output,
         cache_read_tokens = :cacheRead, cache_write_tokens = :cacheWrite, cost_usd_ticks = :cost, updated_at = :now`,
      {
        taskId,
        provider: (row.provider ?? "").toLowerCase(),
        model: row.model,
        input: row.input_tokens,
        output: row.output_tokens,
        cacheRead: row.cache_read_tokens,
        cacheWrite: row.cache_write_tokens,
        cost: row.cost_usd_ticks ?? null,
        now: tx.now,
      },
    );
  }
}

function redacted(text: string | undefined): string | null {
  return text === undefined ? null : redactText(text);
}

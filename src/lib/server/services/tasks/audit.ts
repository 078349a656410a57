import type { Db } from "../../../platform/index.ts";
import type { TaskMessage } from "../../../wire/index.ts";
import { all, run } from "../../db/query.ts";
import type { TaskRow } from "../../rows/index.ts";

/**
 * For tests of clients: the server without its protection against repeats. Every message is kept as often as it comes,
 * and every ending that is sent counts, whatever the task's state. What a client makes of it shows whether it repeats.
 */
export interface Audit {
  messages(taskId: string, messages: readonly TaskMessage[]): void;
  /** The numbers above `since`, as often as they came. */
  list(taskId: string, since: number): { readonly task_id: string; readonly seq: number; readonly type: string; readonly created_at: string }[];
  /** A `complete` or `fail`: the task's state before and after it. */
  ending(kind: string, before: TaskRow["status"], after: TaskRow): void;
}

const TABLES = `
CREATE TABLE IF NOT EXISTS audit_message (
  id INTEGER PRIMARY KEY, task_id TEXT NOT NULL, seq INTEGER NOT NULL, type TEXT NOT NULL, content TEXT
) STRICT;
CREATE INDEX IF NOT EXISTS audit_message_task ON audit_message (task_id, seq);
CREATE TABLE IF NOT EXISTS audit_ending (
  id INTEGER PRIMARY KEY, task_id TEXT NOT NULL, kind TEXT NOT NULL, before TEXT NOT NULL, after TEXT NOT NULL, reason TEXT
) STRICT;
`;

/** Inside the transaction of the request, as the records it stands for. */
export function createAudit(db: Db): Audit {
  db.exec(TABLES);
  return {
    messages: (taskId, messages) => {
      for (const { seq, type, content } of messages) {
        run(db, "INSERT INTO audit_message (task_id, seq, type, content) VALUES (:taskId, :seq, :type, :content)", { taskId, seq, type, content: content ?? null });
      }
    },
    list: (taskId, since) =>
      all<{ seq: number; type: string }>(db, "SELECT seq, type FROM audit_message WHERE task_id = :taskId AND seq > :since ORDER BY seq, id", { taskId, since }).map(
        (row) => ({ ...row, task_id: taskId, created_at: "1970-01-01T00:00:00Z" }),
      ),
    ending: (kind, before, after) => {
      run(db, "INSERT INTO audit_ending (task_id, kind, before, after, reason) VALUES (:taskId, :kind, :before, :after, :reason)", {
        taskId: after.id,
        kind,
        before,
        after: after.status,
        reason: after.failure_reason,
      });
    },
  };
}

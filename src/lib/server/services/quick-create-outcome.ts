import type { Actor } from "../context.ts";
import { isObject, parseJson } from "../../core/index.ts";
import { one, update } from "../db/query.ts";
import { type IssueRow, type TaskRow, type WorkspaceRow, issueIdentifier } from "../rows/index.ts";
import type { Tx } from "../transaction.ts";
import { notify } from "./inbox.ts";

/**
 * A quick create ends with the issue its agent wrote: the task is tied to it and the person who asked is told, or told
 * that there is none. A person who cancelled knows (server-api.md 6.8).
 */
export function afterQuickCreate(tx: Tx, task: TaskRow): void {
  const issue = one<IssueRow>(
    tx.db,
    `SELECT * FROM issue WHERE workspace_id = :workspaceId AND origin_type = 'quick_create' AND origin_id = :id
     ORDER BY created_at, rowid LIMIT 1`,
    { workspaceId: task.workspace_id, id: task.id },
  );
  if (issue !== undefined) update(tx.db, "task", task.id, { issue_id: issue.id });
  if (task.status === "cancelled") return;
  const actor: Actor = { type: "agent", userId: task.originator_user_id ?? "", agentId: task.agent_id, taskId: task.id };
  const shared = { workspaceId: task.workspace_id, actor, details: { task_id: task.id } };
  if (issue !== undefined) {
    const prefix = one<WorkspaceRow>(tx.db, "SELECT * FROM workspace WHERE id = :id", { id: task.workspace_id })?.issue_prefix ?? "";
    const title = `${issueIdentifier(prefix, issue.number)} ${issue.title}`;
    notify(tx, task.originator_user_id, { ...shared, type: "quick_create_done", issueId: issue.id, title });
    return;
  }
  const why = task.status === "failed" ? task.error : outputOf(task);
  notify(tx, task.originator_user_id, { ...shared, type: "quick_create_failed", severity: "attention", title: "No issue was created", body: why });
}

function outputOf(task: TaskRow): string | null {
  const result = task.result === null ? undefined : parseJson(task.result);
  return isObject(result) && typeof result["output"] === "string" ? result["output"] : null;
}

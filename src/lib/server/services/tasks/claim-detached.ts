import type { Task } from "../../../wire/index.ts";
import { one } from "../../db/query.ts";
import { type IssueRow, type TaskRow, type WorkspaceRow, issueIdentifier, quickCreateOf } from "../../rows/index.ts";
import type { Tx } from "../../transaction.ts";
import { chatFields } from "../chat/outcome.ts";
import { autopilotFields } from "../autopilots/outcome.ts";

export interface DetachedFields {
  readonly fields: Partial<Task>;
  /** The project the run works for, when it is not an issue's. */
  readonly projectId: string | null;
  /** Why the task must not run at all (server-api.md 5.6). */
  readonly refusal?: string;
}

const NONE: DetachedFields = { fields: {}, projectId: null };

/** What a claim carries for a run that has no issue (server-api.md 5.4: quick create, autopilot, chat). */
export function detachedFields(tx: Tx, task: TaskRow): DetachedFields {
  if (task.chat_session_id !== null) return chatFields(tx, task);
  if (task.autopilot_run_id !== null) return autopilotFields(tx, task);
  const request = quickCreateOf(task);
  return request === null ? NONE : quickCreateFields(tx, task, request);
}

function quickCreateFields(tx: Tx, task: TaskRow, request: Readonly<Record<string, unknown>>): DetachedFields {
  const text = (key: string): string | null => (typeof request[key] === "string" ? request[key] : null);
  const files = request["attachment_ids"];
  const [priority, due, parent] = [text("priority"), text("due_date"), parentOf(tx, task, text("parent_issue_id"))];
  return {
    projectId: text("project_id"),
    fields: {
      quick_create_prompt: text("prompt") ?? "",
      ...(Array.isArray(files) ? { quick_create_attachment_ids: files.map(String) } : {}),
      ...(priority === null ? {} : { quick_create_priority: priority }),
      ...(due === null ? {} : { quick_create_due_date: due }),
      ...parent,
    },
  };
}

function parentOf(tx: Tx, task: TaskRow, id: string | null): Partial<Task> {
  const issue = id === null ? undefined : one<IssueRow>(tx.db, "SELECT * FROM issue WHERE id = :id", { id });
  if (issue === undefined) return {};
  const prefix = one<WorkspaceRow>(tx.db, "SELECT * FROM workspace WHERE id = :id", { id: task.workspace_id })?.issue_prefix ?? "";
  return { parent_issue_id: issue.id, parent_issue_identifier: issueIdentifier(prefix, issue.number) };
}

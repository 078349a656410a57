import { shortIds } from "../lib/core/index.ts";
import type { Comment, Issue, StoredMessage, TaskRow } from "../lib/wire/index.ts";
import { cutText, pairsText, tableText, timeText } from "./table.ts";

/** Who an id belongs to, for a column; made by the command. */
export type NameOf = (type: string | null | undefined, id: string | null | undefined) => string;

const asIs: NameOf = (type, id) => (type && id ? `${type}:${id}` : "");

/** `issue list`. */
export function issueTable(issues: readonly Issue[], fullId: boolean, nameOf: NameOf = asIs): string {
  const headers = ["KEY", ...(fullId ? ["ID"] : []), "TITLE", "STATUS", "PRIORITY", "ASSIGNEE", "START DATE", "DUE DATE"];
  const rows = issues.map((issue) => [
    issue.identifier,
    ...(fullId ? [issue.id] : []),
    issue.title,
    issue.status,
    issue.priority,
    nameOf(issue.assignee_type, issue.assignee_id),
    timeText(issue.start_date, 10),
    timeText(issue.due_date, 10),
  ]);
  return tableText(headers, rows);
}

/** `issue get --output table`. */
export function issueDetails(issue: Issue, nameOf: NameOf = asIs): string {
  return pairsText([
    ["KEY", issue.identifier],
    ["TITLE", issue.title],
    ["STATUS", issue.status],
    ["PRIORITY", issue.priority],
    ["ASSIGNEE", nameOf(issue.assignee_type, issue.assignee_id)],
    ["START DATE", timeText(issue.start_date, 10)],
    ["DUE DATE", timeText(issue.due_date, 10)],
    ["DESCRIPTION", issue.description],
  ]);
}

/** What `issue create` and `issue update` show. */
export function issueLine(issue: Issue): string {
  return tableText(["KEY", "TITLE", "STATUS", "PRIORITY"], [[issue.identifier, issue.title, issue.status, issue.priority]]);
}

/** `issue comment list`. */
export function commentTable(comments: readonly Comment[], nameOf: NameOf = asIs): string {
  return tableText(
    ["ID", "PARENT", "AUTHOR", "TYPE", "CONTENT", "CREATED"],
    comments.map((comment) => [
      comment.id,
      comment.parent_id ?? "—",
      nameOf(comment.author_type, comment.author_id),
      comment.type,
      cutText(comment.content, 80),
      timeText(comment.created_at, 16),
    ]),
  );
}

/** `issue runs`. */
export function runTable(runs: readonly TaskRow[], fullId: boolean, nameOf: NameOf = asIs): string {
  const short = shortIds(runs.map((run) => run.id));
  return tableText(
    ["ID", "AGENT", "STATUS", "STARTED", "COMPLETED", "ERROR"],
    runs.map((run) => [
      fullId ? run.id : short(run.id),
      nameOf("agent", run.agent_id).replace(/^agent:/, ""),
      run.status,
      timeText(run.started_at, 16),
      timeText(run.completed_at, 16),
      cutText(run.error, 50),
    ]),
  );
}

/** `issue run-messages --output table`. */
export function messageTable(messages: readonly StoredMessage[]): string {
  return tableText(
    ["SEQ", "TYPE", "TOOL", "CONTENT"],
    messages.map((message) => [message.seq, message.type, message.tool, cutText(message.content ?? message.output, 80)]),
  );
}

import { all, one } from "../../db/query.ts";
import { type CommentRow, type TaskRow, isoSeconds, stringsColumn } from "../../rows/index.ts";
import type { Tx } from "../../transaction.ts";

/** Bytes that all comment bodies of one claim may have together (server-api.md 5.4). */
const BODY_BUDGET = 512 * 1024;

type NamedComment = CommentRow & { readonly author_name: string | null; readonly thread_id: string | null };

/**
 * The comment part of a claim: the trigger, the merged comments, and how much is new since the last run. A daemon that
 * does not read merged comments gets them folded into the trigger's text (server-api.md 1.4, 5.4).
 */
export function commentFields(tx: Tx, task: TaskRow, capabilities: ReadonlySet<string>) {
  const since = newSince(tx, task);
  if (task.trigger_comment_id === null) return since;
  const trigger = namedComment(tx, task.trigger_comment_id);
  const mergedIds = stringsColumn(task.coalesced_comment_ids);
  const merged = mergedIds.flatMap((id) => namedComment(tx, id) ?? []).sort((a, b) => a.created_at - b.created_at);
  const kept = withinBudget(merged, BODY_BUDGET - Buffer.byteLength(trigger?.content ?? ""));
  const separate = capabilities.has("coalesced-comments-v1");
  const content = separate ? (trigger?.content ?? "") : folded(kept, trigger);
  return {
    ...since,
    trigger_comment_id: task.trigger_comment_id,
    trigger_summary: task.trigger_summary,
    trigger_comment_content: content,
    ...(trigger === undefined
      ? {}
      : {
          trigger_thread_id: trigger.thread_id ?? trigger.id,
          trigger_author_type: trigger.author_type,
          trigger_author_name: trigger.author_name ?? "",
        }),
    ...(separate && mergedIds.length > 0 ? { coalesced_comment_ids: mergedIds, coalesced_comments: kept.map(coalesced) } : {}),
    delivered_comment_ids: [...kept.map((comment) => comment.id), task.trigger_comment_id],
  };
}

/** Comments by others since this agent's last run on the issue began; a hint where to start reading. */
function newSince(tx: Tx, task: TaskRow) {
  if (task.issue_id === null) return {};
  const last = one<{ at: number | null }>(
    tx.db,
    `SELECT max(started_at) AS at FROM task WHERE issue_id = :issueId AND agent_id = :agentId AND id <> :id`,
    { issueId: task.issue_id, agentId: task.agent_id, id: task.id },
  );
  if (last === undefined || last.at === null) return {};
  const found = all<{ count: number }>(
    tx.db,
    `SELECT count(*) AS count FROM comment WHERE issue_id = :issueId AND created_at > :at
       AND NOT (author_type = 'agent' AND author_id = :agentId)`,
    { issueId: task.issue_id, agentId: task.agent_id, at: last.at },
  );
  const count = found[0]?.count ?? 0;
  return count === 0 ? {} : { new_comment_count: count, new_comments_since: isoSeconds(last.at) };
}

function namedComment(tx: Tx, id: string): NamedComment | undefined {
  return one<NamedComment>(
    tx.db,
    `WITH RECURSIVE up(id, parent_id) AS (
       SELECT id, parent_id FROM comment WHERE id = :id
       UNION ALL SELECT p.id, p.parent_id FROM comment p JOIN up ON p.id = up.parent_id)
     SELECT c.*, coalesce(u.name, a.name) AS author_name, (SELECT id FROM up WHERE parent_id IS NULL) AS thread_id
     FROM comment c LEFT JOIN user u ON c.author_type = 'member' AND u.id = c.author_id
       LEFT JOIN agent a ON c.author_type = 'agent' AND a.id = c.author_id
     WHERE c.id = :id`,
    { id },
  );
}

function withinBudget(comments: readonly NamedComment[], budget: number): NamedComment[] {
  let left = budget;
  return comments.filter((comment) => {
    const size = Buffer.byteLength(comment.content);
    if (size > left) return false;
    left -= size;
    return true;
  });
}

function coalesced(comment: NamedComment) {
  return {
    id: comment.id,
    thread_id: comment.thread_id ?? comment.id,
    author_type: comment.author_type,
    author_name: comment.author_name ?? "",
    content: comment.content,
    created_at: isoSeconds(comment.created_at),
  };
}

function folded(merged: readonly NamedComment[], trigger: NamedComment | undefined): string {
  const parts = merged.map((comment) => `${comment.author_name ?? comment.author_type}: ${comment.content}`);
  return [...parts, trigger?.content ?? ""].join("\n\n");
}

import { all } from "../db/query.ts";
import { type ActivityRow, type CommentRow, isoOrNull, isoSeconds, objectColumn } from "../rows/index.ts";
import type { Tx } from "../transaction.ts";
import { filesByComment } from "./attachments/attachments.ts";

interface Entry {
  readonly at: number;
  readonly value: object;
}

/** What happened to an issue and what was said, in order (server-api.md 13.3.5). */
export function timelineOf(db: Tx["db"], issueId: string): object[] {
  const activity = all<ActivityRow>(db, "SELECT * FROM activity WHERE issue_id = :issueId ORDER BY created_at, rowid", { issueId });
  const files = filesByComment(db, issueId);
  const comments = all<CommentRow>(db, "SELECT * FROM comment WHERE issue_id = :issueId ORDER BY created_at, rowid", { issueId });
  return [...activity.map(activityEntry), ...comments.map((row) => commentEntry(row, files.get(row.id) ?? []))].sort((a, b) => a.at - b.at).map((entry) => entry.value);
}

function activityEntry(row: ActivityRow): Entry {
  return {
    at: row.created_at,
    value: {
      type: "activity",
      id: row.id,
      actor_type: row.actor_type,
      actor_id: row.actor_id,
      action: row.action,
      details: objectColumn(row.details),
      created_at: isoSeconds(row.created_at),
    },
  };
}

function commentEntry(row: CommentRow, files: readonly object[]): Entry {
  return {
    at: row.created_at,
    value: {
      type: "comment",
      id: row.id,
      actor_type: row.author_type,
      actor_id: row.author_id,
      content: row.content,
      parent_id: row.parent_id,
      comment_type: row.type,
      created_at: isoSeconds(row.created_at),
      updated_at: isoSeconds(row.updated_at),
      revision: row.revision,
      reactions: [],
      attachments: files,
      resolved_at: isoOrNull(row.resolved_at),
      resolved_by_type: row.resolved_by_type,
      resolved_by_id: row.resolved_by_id,
      ...(row.source_task_id === null ? {} : { source_task_id: row.source_task_id }),
    },
  };
}

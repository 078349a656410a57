import { all, insert, one, run } from "../../db/query.ts";
import { HttpError, badRequest, notFound } from "../../http-error.ts";
import type { Actor } from "../../context.ts";
import type { Scope } from "../../http/scope.ts";
import { type AttachmentRow, attachmentWire } from "../../rows/index.ts";
import type { Tx } from "../../transaction.ts";
import { actorId } from "../actor.ts";

export interface NewAttachment {
  readonly id: string;
  readonly workspaceId: string | null;
  readonly filename: string;
  readonly contentType: string;
  readonly size: number;
  readonly target: Partial<Pick<AttachmentRow, "issue_id" | "comment_id" | "chat_session_id" | "task_id">>;
}

export function createAttachment(tx: Tx, actor: Actor, file: NewAttachment): AttachmentRow {
  insert(tx.db, "attachment", {
    id: file.id,
    workspace_id: file.workspaceId,
    ...file.target,
    uploader_type: actor.type,
    uploader_id: actorId(actor),
    filename: file.filename,
    content_type: file.contentType,
    size_bytes: file.size,
    created_at: tx.now,
  });
  return loadAttachment(tx.db, file.id);
}

/** 404 `attachment not found`; the caller checks who may see it. */
export function loadAttachment(db: Tx["db"], id: string): AttachmentRow {
  const row = one<AttachmentRow>(db, "SELECT * FROM attachment WHERE id = :id", { id });
  if (row === undefined) throw notFound("attachment");
  return row;
}

/** Every file of an issue, those of its comments too. */
export function filesOfIssue(db: Tx["db"], issueId: string): object[] {
  return all<AttachmentRow>(db, "SELECT * FROM attachment WHERE issue_id = :issueId ORDER BY created_at, rowid", { issueId }).map(attachmentWire);
}

/** Files of the issue itself, as its own answer carries them. */
export function ownFilesOfIssue(db: Tx["db"], issueId: string): object[] {
  const sql = "SELECT * FROM attachment WHERE issue_id = :issueId AND comment_id IS NULL ORDER BY created_at, rowid";
  return all<AttachmentRow>(db, sql, { issueId }).map(attachmentWire);
}

/** Files of an issue's comments by comment. */
export function filesByComment(db: Tx["db"], issueId: string): ReadonlyMap<string, object[]> {
  const sql = "SELECT * FROM attachment WHERE issue_id = :issueId AND comment_id IS NOT NULL ORDER BY created_at, rowid";
  const files = new Map<string, object[]>();
  for (const row of all<AttachmentRow>(db, sql, { issueId })) {
    const id = row.comment_id ?? "";
    files.set(id, [...(files.get(id) ?? []), attachmentWire(row)]);
  }
  return files;
}

/** Where uploaded files belong from now on. */
type Target =
  | { readonly issue_id: string; readonly comment_id?: string }
  | { readonly chat_session_id: string; readonly chat_message_id: string };

/**
 * Ties uploads to what was written with them. Only the caller's own uploads of this workspace that belong to nothing
 * else yet: 400 `one or more attachments not found` otherwise.
 */
export function linkAttachments(tx: Tx, scope: Pick<Scope, "workspace" | "actor">, ids: readonly string[] | undefined, target: Target): void {
  for (const id of new Set((ids ?? []).map((one) => one.toLowerCase()))) {
    const row = one<AttachmentRow>(tx.db, "SELECT * FROM attachment WHERE id = :id", { id });
    if (row === undefined || row.workspace_id !== scope.workspace.id || !mayLink(tx, scope.actor, row, target)) {
      throw badRequest("one or more attachments not found");
    }
    const columns = Object.entries(target);
    const set = columns.map(([column]) => `${column} = :${column}`).join(", ");
    run(tx.db, `UPDATE attachment SET ${set} WHERE id = :where_id`, { ...target, where_id: id });
  }
}

function mayLink(tx: Tx, actor: Actor, row: AttachmentRow, target: Target): boolean {
  const own = row.uploader_type === actor.type && row.uploader_id === actorId(actor);
  if (!own && !isHandedOver(tx, actor, row.id)) return false;
  if ("issue_id" in target) {
    const here = row.issue_id === null || row.issue_id === target.issue_id;
    return here && row.chat_message_id === null && (row.comment_id === null || row.comment_id === target.comment_id);
  }
  return row.issue_id === null && row.chat_message_id === null && (row.chat_session_id === null || row.chat_session_id === target.chat_session_id);
}

/** A person's upload that a quick create gave to the agent that writes the issue. */
function isHandedOver(tx: Tx, actor: Actor, attachmentId: string): boolean {
  if (actor.taskId === undefined) return false;
  const sql = `SELECT 1 FROM task, json_each(task.context, '$.quick_create.attachment_ids') file
    WHERE task.id = :taskId AND file.value = :attachmentId`;
  return one(tx.db, sql, { taskId: actor.taskId, attachmentId }) !== undefined;
}

/** Deletes the row; the caller removes the file. 403 for files of others, but for those who manage the workspace. */
export function deleteAttachment(tx: Tx, scope: Scope, row: AttachmentRow): void {
  const { actor, role } = scope;
  const own = row.uploader_type === actor.type && row.uploader_id === actorId(actor);
  if (!own && (actor.type === "agent" || role === "member")) throw new HttpError(403, "insufficient permissions");
  run(tx.db, "DELETE FROM attachment WHERE id = :id", { id: row.id });
}

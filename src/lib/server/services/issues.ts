import { isUuid } from "../../core/index.ts";
import { all, insert, one, run } from "../db/query.ts";
import { notFound } from "../http-error.ts";
import type { Actor } from "../context.ts";
import { type IssueRow, type LabelRow, type WorkspaceRow, issueWire, labelWire } from "../rows/index.ts";
import type { Tx } from "../transaction.ts";
import { actorId } from "./actor.ts";
import { ownFilesOfIssue } from "./attachments/attachments.ts";

/** Issue by UUID or `PREFIX-<number>` (prefix in any case) within the workspace; undefined when there is none. */
export function findIssue(db: Tx["db"], workspace: WorkspaceRow, ref: string): IssueRow | undefined {
  if (isUuid(ref)) {
    const sql = "SELECT * FROM issue WHERE id = :id AND workspace_id = :workspaceId";
    return one<IssueRow>(db, sql, { id: ref.toLowerCase(), workspaceId: workspace.id });
  }
  const match = /^([a-z0-9]{1,10})-(\d{1,9})$/i.exec(ref);
  if (match?.[1]?.toUpperCase() !== workspace.issue_prefix) return undefined;
  const sql = "SELECT * FROM issue WHERE workspace_id = :workspaceId AND number = :number";
  return one<IssueRow>(db, sql, { workspaceId: workspace.id, number: Number(match[2]) });
}

/** Like findIssue; 404 `issue not found`. */
export function loadIssue(db: Tx["db"], workspace: WorkspaceRow, ref: string): IssueRow {
  const row = findIssue(db, workspace, ref);
  if (row === undefined) throw notFound("issue");
  return row;
}

/** The issue with its labels, as create, get and update answer it (server-api.md 13.3.4). */
export function showIssue(db: Tx["db"], workspace: WorkspaceRow, issue: IssueRow): object {
  return { ...issueWire(issue, workspace.issue_prefix), labels: labelsOf(db, issue.id), reactions: [], attachments: ownFilesOfIssue(db, issue.id) };
}

export function labelsOf(db: Tx["db"], issueId: string): object[] {
  const sql = `SELECT l.*, (SELECT count(*) FROM issue_label u WHERE u.label_id = l.id) AS usage_count
    FROM label l JOIN issue_label il ON il.label_id = l.id WHERE il.issue_id = :issueId ORDER BY l.name`;
  return all<LabelRow & { usage_count: number }>(db, sql, { issueId }).map(labelWire);
}

/** Adds a subscriber; somebody who is one already keeps the first reason. */
export function subscribe(tx: Tx, issueId: string, type: "member" | "agent", id: string, reason: string): void {
  run(
    tx.db,
    `INSERT INTO subscriber (issue_id, user_type, user_id, reason, created_at) VALUES (:issueId, :type, :id, :reason, :now)
     ON CONFLICT DO NOTHING`,
    { issueId, type, id, reason, now: tx.now },
  );
}

/** One line of the issue's timeline. */
export function recordActivity(tx: Tx, issue: IssueRow, actor: Actor, action: string, details: object = {}): void {
  insert(tx.db, "activity", {
    id: tx.newId(),
    workspace_id: issue.workspace_id,
    issue_id: issue.id,
    actor_type: actor.type,
    actor_id: actorId(actor),
    action,
    details: JSON.stringify(details),
    created_at: tx.now,
  });
}

/** A change that is not one of the issue's own columns (label, metadata): new revision, new activity time. */
export function touchIssue(tx: Tx, issueId: string): number {
  run(tx.db, "UPDATE issue SET revision = revision + 1, updated_at = :now, last_activity_at = :now WHERE id = :issueId", {
    now: tx.now,
    issueId,
  });
  return one<{ revision: number }>(tx.db, "SELECT revision FROM issue WHERE id = :issueId", { issueId })?.revision ?? 0;
}

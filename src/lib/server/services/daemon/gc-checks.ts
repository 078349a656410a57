import { isUuid } from "../../../core/index.ts";
import { all } from "../../db/query.ts";
import { badRequest } from "../../http-error.ts";
import { type IssueRow, isoSeconds } from "../../rows/index.ts";
import type { Tx } from "../../transaction.ts";

const MAX_IDS = 500;

/** Status and age of many issues of one workspace; others are `found: false` (server-api.md 8). In the order asked. */
export function checkIssues(db: Tx["db"], workspaceId: string, ids: readonly string[]): object[] {
  if (ids.length > MAX_IDS) throw badRequest("too many issue_ids");
  if (!ids.every(isUuid)) throw badRequest("invalid issue_id");
  const list = JSON.stringify(ids.map((id) => id.toLowerCase()));
  const sql = "SELECT * FROM issue WHERE workspace_id = :workspaceId AND id IN (SELECT value FROM json_each(:list))";
  const found = new Map(all<IssueRow>(db, sql, { workspaceId, list }).map((row) => [row.id, row]));
  return ids.map((id) => {
    const row = found.get(id.toLowerCase());
    return row === undefined ? { id, found: false } : { id, found: true, status: row.status, updated_at: isoSeconds(row.updated_at) };
  });
}

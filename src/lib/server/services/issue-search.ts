import { all } from "../db/query.ts";
import { type IssueRow, type WorkspaceRow, issueWire } from "../rows/index.ts";
import type { Tx } from "../transaction.ts";
import { asciiLower } from "./issue-list.ts";

interface Hit extends IssueRow {
  source: number;
  comment: string | null;
}

const SOURCES = ["identifier", "title", "description", "comment"] as const;

/**
 * Issues that contain the text: by number, title, description, then comments (server-api.md 13.3.2).
 * Closed issues only when asked for, or when named by their number.
 */
export function searchIssues(
  db: Tx["db"],
  workspace: WorkspaceRow,
  search: { q: string; limit: number; offset: number; closed: boolean },
): { issues: object[]; total: number } {
  const q = asciiLower(search.q.trim());
  const sql = `WITH hit AS (
      SELECT i.*,
        (SELECT c.content FROM comment c WHERE c.issue_id = i.id AND instr(lower(c.content), :q) > 0 ORDER BY c.created_at LIMIT 1) AS comment,
        CASE WHEN i.number = :number THEN 0 WHEN instr(lower(i.title), :q) > 0 THEN 1
          WHEN instr(lower(coalesce(i.description, '')), :q) > 0 THEN 2 ELSE 3 END AS source
      FROM issue i
      WHERE i.workspace_id = :workspaceId AND (i.number = :number OR :closed = 1 OR i.status NOT IN ('done', 'cancelled')))
    SELECT * FROM hit WHERE source < 3 OR comment IS NOT NULL ORDER BY source, updated_at DESC, number DESC`;
  const hits = all<Hit>(db, sql, {
    q,
    number: numberOf(workspace, q),
    workspaceId: workspace.id,
    closed: search.closed ? 1 : 0,
  });
  const issues = hits.slice(search.offset, search.offset + search.limit).map((hit) => present(workspace, hit, q));
  return { issues, total: hits.length };
}

function present(workspace: WorkspaceRow, hit: Hit, q: string): object {
  const source = SOURCES[hit.source] ?? "title";
  const text = { identifier: hit.title, title: hit.title, description: hit.description ?? "", comment: hit.comment ?? "" }[source];
  return {
    ...issueWire(hit, workspace.issue_prefix),
    match_source: source,
    matched_snippet: snippet(text, q),
    ...(source === "description" ? { matched_description_snippet: snippet(text, q) } : {}),
    ...(source === "comment" ? { matched_comment_snippet: snippet(text, q) } : {}),
  };
}

/** The number a query names (`12` or `PREFIX-12`), or -1. */
function numberOf(workspace: WorkspaceRow, q: string): number {
  const match = /^(?:([a-z0-9]+)-)?(\d{1,9})$/.exec(q);
  if (match === null) return -1;
  if (match[1] !== undefined && match[1].toUpperCase() !== workspace.issue_prefix) return -1;
  return Number(match[2]);
}

function snippet(text: string, q: string): string {
  const at = Math.max(0, asciiLower(text).indexOf(q));
  const from = Math.max(0, at - 40);
  const cut = text.slice(from, at + q.length + 80).replace(/\s+/g, " ").trim();
  return `${from > 0 ? "…" : ""}${cut}${at + q.length + 80 < text.length ? "…" : ""}`;
}

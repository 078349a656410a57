import { isObject, parseJson } from "../../core/index.ts";
import type { SqlParams } from "../../platform/index.ts";
import { ISSUE_STATUSES, PRIORITIES } from "../../wire/index.ts";
import { all, one } from "../db/query.ts";
import { badRequest } from "../http-error.ts";
import type { IssueRow } from "../rows/index.ts";
import type { Tx } from "../transaction.ts";

/** Query parameters of the list as they came; unknown names are ignored. */
type ListQuery = Readonly<Record<string, string | undefined>>;

// One text for every combination of filters: an absent filter is NULL and lets everything through.
const WHERE = `i.workspace_id = :workspaceId
  AND (:statuses IS NULL OR i.status IN (SELECT value FROM json_each(:statuses)))
  AND (:priorities IS NULL OR i.priority IN (SELECT value FROM json_each(:priorities)))
  AND (:assigneeTypes IS NULL OR i.assignee_type IN (SELECT value FROM json_each(:assigneeTypes)))
  AND ((:assigneeIds IS NULL AND :assignees IS NULL AND :noAssignee = 0)
    OR i.assignee_id IN (SELECT value FROM json_each(:assigneeIds))
    OR i.assignee_type || ':' || i.assignee_id IN (SELECT value FROM json_each(:assignees))
    OR (:noAssignee = 1 AND i.assignee_id IS NULL))
  AND (:creatorId IS NULL OR i.creator_id = :creatorId)
  AND (:creators IS NULL OR i.creator_type || ':' || i.creator_id IN (SELECT value FROM json_each(:creators)))
  AND (:projects IS NULL OR i.project_id IN (SELECT value FROM json_each(:projects)) OR (:noProject = 1 AND i.project_id IS NULL))
  AND (:ids IS NULL OR i.id IN (SELECT value FROM json_each(:ids)))
  AND (:labels IS NULL OR EXISTS (SELECT 1 FROM issue_label il WHERE il.issue_id = i.id AND il.label_id IN (SELECT value FROM json_each(:labels))))
  AND (:involves IS NULL OR i.assignee_id = :involves OR i.creator_id = :involves
    OR EXISTS (SELECT 1 FROM subscriber s WHERE s.issue_id = i.id AND s.user_id = :involves))
  AND (:topLevel = 0 OR i.parent_issue_id IS NULL)
  AND (:openOnly = 0 OR i.status NOT IN ('done', 'cancelled'))
  AND (:scheduled = 0 OR i.start_date IS NOT NULL OR i.due_date IS NOT NULL)
  AND (:dateField IS NULL OR CASE :dateField WHEN 'start_date' THEN i.start_date WHEN 'due_date' THEN i.due_date
    WHEN 'created_at' THEN date(i.created_at / 1000, 'unixepoch') ELSE date(i.updated_at / 1000, 'unixepoch') END BETWEEN :dateStart AND :dateEnd)
  AND (:q IS NULL OR instr(lower(i.title), :q) > 0 OR instr(lower(coalesce(i.description, '')), :q) > 0)
  AND (:metadata IS NULL OR NOT EXISTS (SELECT 1 FROM json_each(:metadata) w WHERE NOT EXISTS
    (SELECT 1 FROM json_each(i.metadata) h WHERE h.key = w.key AND h.type = w.type AND h.value IS w.value)))
  AND (:properties IS NULL OR NOT EXISTS (SELECT 1 FROM json_each(:properties) w WHERE NOT EXISTS
    (SELECT 1 FROM json_each(i.properties) h WHERE h.key = w.key AND h.type = w.type AND (h.value IS w.value OR (w.type = 'array'
      AND NOT EXISTS (SELECT 1 FROM json_each(w.value) x WHERE x.value NOT IN (SELECT value FROM json_each(h.value))))))))`;

const SORTS: Readonly<Record<string, string>> = {
  position: "i.position",
  title: "i.title COLLATE NOCASE",
  created_at: "i.created_at",
  updated_at: "i.updated_at",
  start_date: "i.start_date",
  due_date: "i.due_date",
  last_activity: "i.last_activity_at",
  status: ranked("i.status", ISSUE_STATUSES),
  priority: ranked("i.priority", PRIORITIES),
};

/** One page of issues and how many there are in all (server-api.md 13.3.1). Throws 400 `invalid <param>`. */
export function listIssues(db: Tx["db"], workspaceId: string, query: ListQuery, page: { limit: number; offset: number }): { rows: IssueRow[]; total: number } {
  const params = filters(workspaceId, query);
  const sort = SORTS[query["sort"] || "position"];
  if (sort === undefined) throw badRequest("invalid sort value");
  const direction = query["direction"] || "asc";
  if (direction !== "asc" && direction !== "desc") throw badRequest("invalid direction value");
  const limit = params["openOnly"] === 1 ? -1 : page.limit;
  const offset = params["openOnly"] === 1 ? 0 : page.offset;
  const sql = `SELECT i.* FROM issue i WHERE ${WHERE} ORDER BY ${sort} ${direction} NULLS LAST, i.number ${direction} LIMIT :limit OFFSET :offset`;
  const total = one<{ total: number }>(db, `SELECT count(*) AS total FROM issue i WHERE ${WHERE}`, params)?.total ?? 0;
  return { rows: all<IssueRow>(db, sql, { ...params, limit, offset }), total };
}

function filters(workspaceId: string, query: ListQuery): SqlParams {
  const statuses = [...items(query, "status", "statuses"), ...items(query, "status_category", "status_categories")];
  known("status", statuses, ISSUE_STATUSES);
  const priorities = items(query, "priority", "priorities");
  known("priority", priorities, PRIORITIES);
  const types = items(query, "assignee_types");
  known("assignee_types", types, ["member", "agent", "squad"]);
  return {
    workspaceId,
    statuses: list(statuses),
    priorities: list(priorities),
    assigneeTypes: list(types),
    assigneeIds: list(items(query, "assignee_id", "assignee_ids")),
    assignees: list(pairs(query, "assignee_filters")),
    noAssignee: flag(query, "include_no_assignee"),
    creatorId: query["creator_id"] || null,
    creators: list(pairs(query, "creator_filters")),
    projects: list(items(query, "project_id", "project_ids")),
    noProject: flag(query, "include_no_project"),
    ids: list(items(query, "ids")),
    labels: list(items(query, "label_ids")),
    involves: query["involves_user_id"] || null,
    topLevel: flag(query, "top_level_only"),
    openOnly: flag(query, "open_only"),
    scheduled: flag(query, "scheduled"),
    ...dateRange(query),
    q: query["q"] ? asciiLower(query["q"]) : null,
    metadata: contained("metadata", query["metadata"]),
    properties: contained("properties", query["properties"]),
  };
}

function dateRange(query: ListQuery): { dateField: string | null; dateStart: string | null; dateEnd: string | null } {
  const [field, start, end] = [query["date_field"] || null, query["date_start"] || null, query["date_end"] || null];
  if (field === null && start === null && end === null) return { dateField: null, dateStart: null, dateEnd: null };
  if (field === null || start === null || end === null) throw badRequest("date_field, date_start and date_end must be provided together");
  known("date_field", [field], ["start_date", "due_date", "created_at", "updated_at"]);
  for (const [name, value] of [["date_start", start], ["date_end", end]] as const) {
    if (!/^\d{4}-\d{2}-\d{2}$/.test(value)) throw badRequest(`invalid ${name}`);
  }
  return { dateField: field, dateStart: start, dateEnd: end };
}

function contained(name: string, text: string | undefined): string | null {
  if (text === undefined || text === "") return null;
  const value = parseJson(text);
  if (!isObject(value)) throw badRequest(`invalid ${name}`);
  return JSON.stringify(value);
}

function items(query: ListQuery, ...names: string[]): string[] {
  return names.flatMap((name) => (query[name] ?? "").split(",").map((item) => item.trim()).filter((item) => item !== ""));
}

function pairs(query: ListQuery, name: string): string[] {
  const found = items(query, name);
  if (found.some((item) => !/^(?:member|agent|squad):.+$/.test(item))) throw badRequest(`invalid ${name}`);
  return found;
}

function known(name: string, values: readonly string[], valid: readonly string[]): void {
  if (values.some((value) => !valid.includes(value))) throw badRequest(`invalid ${name}`);
}

function list(values: readonly string[]): string | null {
  return values.length === 0 ? null : JSON.stringify(values);
}

function flag(query: ListQuery, name: string): 0 | 1 {
  return query[name] === "true" ? 1 : 0;
}

function ranked(column: string, order: readonly string[]): string {
  return `CASE ${column} ${order.map((value, index) => `WHEN '${value}' THEN ${index}`).join(" ")} END`;
}

/** What SQLite's `lower` does: ASCII only. */
export function asciiLower(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

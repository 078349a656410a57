import type { ISSUE_STATUSES, PRIORITIES } from "../../wire/index.ts";
import { isoOrNull, isoSeconds } from "./time.ts";
import { objectColumn } from "./json-column.ts";

type IssueStatus = (typeof ISSUE_STATUSES)[number];
type IssuePriority = (typeof PRIORITIES)[number];

export interface IssueRow {
  id: string;
  workspace_id: string;
  number: number;
  title: string;
  description: string | null;
  status: IssueStatus;
  priority: IssuePriority;
  assignee_type: "member" | "agent" | "squad" | null;
  assignee_id: string | null;
  creator_type: "member" | "agent";
  creator_id: string;
  parent_issue_id: string | null;
  project_id: string | null;
  position: number;
  stage: number | null;
  start_date: string | null;
  due_date: string | null;
  origin_type: string | null;
  origin_id: string | null;
  metadata: string;
  properties: string;
  revision: number;
  last_activity_at: number | null;
  created_at: number;
  updated_at: number;
}

export interface LabelRow {
  id: string;
  workspace_id: string;
  resource_type: string;
  name: string;
  description: string;
  color: string;
  created_at: number;
  updated_at: number;
}

export interface SubscriberRow {
  issue_id: string;
  user_type: "member" | "agent";
  user_id: string;
  reason: string;
  created_at: number;
}

export interface ActivityRow {
  id: string;
  workspace_id: string;
  issue_id: string;
  actor_type: string;
  actor_id: string;
  action: string;
  details: string;
  created_at: number;
}

/** `PREFIX-<number>`. */
export function issueIdentifier(prefix: string, number: number): string {
  return `${prefix}-${number}`;
}

/** Done and cancelled issues are closed: they start nothing and do not count as duplicates. */
export function isClosed(status: IssueStatus): boolean {
  return status === "done" || status === "cancelled";
}


/** Issue as in server-api.md 13.3; `prefix` is the workspace's. */
export function issueWire(row: IssueRow, prefix: string) {
  return {
    id: row.id,
    workspace_id: row.workspace_id,
    number: row.number,
    identifier: issueIdentifier(prefix, row.number),
    title: row.title,
    description: row.description,
    status: row.status,
    // Without workspace-defined statuses every status is its own category.
    status_category: row.status,
    priority: row.priority,
    assignee_type: row.assignee_type,
    assignee_id: row.assignee_id,
    creator_type: row.creator_type,
    creator_id: row.creator_id,
    parent_issue_id: row.parent_issue_id,
    project_id: row.project_id,
    position: row.position,
    stage: row.stage,
    start_date: row.start_date,
    due_date: row.due_date,
    origin_type: row.origin_type,
    origin_id: row.origin_id,
    created_at: isoSeconds(row.created_at),
    updated_at: isoSeconds(row.updated_at),
    revision: row.revision,
    last_activity_at: isoOrNull(row.last_activity_at),
    metadata: objectColumn(row.metadata),
    properties: objectColumn(row.properties),
  };
}

/** Label as in server-api.md 13.4. */
export function labelWire(row: LabelRow & { usage_count: number }) {
  return {
    id: row.id,
    workspace_id: row.workspace_id,
    resource_type: row.resource_type,
    name: row.name,
    description: row.description,
    color: row.color,
    usage_count: row.usage_count,
    created_at: isoSeconds(row.created_at),
    updated_at: isoSeconds(row.updated_at),
  };
}

/** Subscriber as in server-api.md 13.4. */
export function subscriberWire(row: SubscriberRow) {
  return { issue_id: row.issue_id, user_type: row.user_type, user_id: row.user_id, reason: row.reason, created_at: isoSeconds(row.created_at) };
}

import type { InboxItem } from "../../wire/index.ts";
import { objectColumn } from "./json-column.ts";
import { isoSeconds } from "./time.ts";

export interface InboxItemRow {
  id: string;
  workspace_id: string;
  recipient_id: string;
  type: string;
  severity: string;
  issue_id: string | null;
  title: string;
  body: string | null;
  read: number;
  archived: number;
  actor_type: string | null;
  actor_id: string | null;
  details: string;
  created_at: number;
}

/** Inbox item as in server-api.md 13.15; `issue_status` is the issue's at the time of reading. */
export function inboxWire(row: InboxItemRow & { readonly issue_status: string | null }): InboxItem {
  return {
    id: row.id,
    workspace_id: row.workspace_id,
    recipient_type: "member",
    recipient_id: row.recipient_id,
    type: row.type,
    severity: row.severity,
    issue_id: row.issue_id,
    title: row.title,
    body: row.body,
    read: row.read === 1,
    archived: row.archived === 1,
    created_at: isoSeconds(row.created_at),
    issue_status: row.issue_status,
    actor_type: row.actor_type,
    actor_id: row.actor_id,
    details: objectColumn(row.details),
  };
}

import type { Attachment } from "../../wire/index.ts";
import { isoSeconds } from "./time.ts";

export interface AttachmentRow {
  id: string;
  workspace_id: string | null;
  issue_id: string | null;
  comment_id: string | null;
  chat_session_id: string | null;
  chat_message_id: string | null;
  task_id: string | null;
  uploader_type: "member" | "agent";
  uploader_id: string;
  filename: string;
  content_type: string;
  size_bytes: number;
  created_at: number;
}

/** Attachment as in server-api.md 13.7. Its addresses are relative to the server: they survive a change of its name. */
export function attachmentWire(row: AttachmentRow): Attachment {
  const url = `/api/attachments/${row.id}/download`;
  return {
    id: row.id,
    workspace_id: row.workspace_id,
    issue_id: row.issue_id,
    comment_id: row.comment_id,
    chat_session_id: row.chat_session_id,
    chat_message_id: row.chat_message_id,
    uploader_type: row.uploader_type,
    uploader_id: row.uploader_id,
    filename: row.filename,
    url,
    download_url: url,
    markdown_url: url,
    content_type: row.content_type,
    size_bytes: row.size_bytes,
    created_at: isoSeconds(row.created_at),
  };
}

import { z } from "zod";

const text = z.string().nullish();

/** server-api.md 13.7. Fetch from `download_url` (it may be relative), write `markdown_url` into texts. */
const attachmentSchema = z.looseObject({
  id: z.string(),
  workspace_id: text,
  issue_id: text,
  comment_id: text,
  chat_session_id: text,
  chat_message_id: text,
  uploader_type: text,
  uploader_id: text,
  filename: z.string(),
  url: z.string(),
  download_url: text,
  markdown_url: text,
  content_type: text,
  size_bytes: z.number().nullish(),
  created_at: text,
});
export type Attachment = z.infer<typeof attachmentSchema>;

/** The most bytes an uploaded file may have. */
export const MAX_UPLOAD_BYTES = 100 * 1024 * 1024;

import { z } from "zod";

const text = z.string().nullish();

/** server-api.md 13.15. */
const inboxItemSchema = z.looseObject({
  id: z.string(),
  workspace_id: z.string(),
  recipient_type: text,
  recipient_id: text,
  type: z.string(),
  severity: text,
  issue_id: text,
  title: z.string(),
  body: text,
  read: z.boolean(),
  archived: z.boolean(),
  created_at: z.string(),
  issue_status: text,
  actor_type: text,
  actor_id: text,
  details: z.looseObject({}).nullish(),
});
export type InboxItem = z.infer<typeof inboxItemSchema>;

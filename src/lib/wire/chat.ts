import { z } from "zod";

const text = z.string().nullish();

/** server-api.md 13.14. */
const chatSessionSchema = z.looseObject({
  id: z.string(),
  workspace_id: z.string(),
  agent_id: z.string(),
  creator_id: text,
  project_id: text,
  title: text,
  status: z.string(),
  has_unread: z.boolean().nullish(),
  unread_count: z.number().nullish(),
  created_at: text,
  updated_at: text,
});
export type ChatSession = z.infer<typeof chatSessionSchema>;

const chatMessageSchema = z.looseObject({
  id: z.string(),
  chat_session_id: z.string(),
  role: z.string(),
  content: z.string(),
  task_id: text,
  created_at: z.string(),
  failure_reason: text,
  elapsed_ms: z.number().nullish(),
  message_kind: text,
});
export type ChatMessage = z.infer<typeof chatMessageSchema>;

/** The conversation of a chat task as its agent reads it, oldest first. */
const chatTranscriptSchema = z.looseObject({
  channel_type: z.string(),
  thread_id: text,
  messages: z.array(
    z.looseObject({
      id: z.string(),
      author: z.string(),
      author_id: text,
      role: z.string(),
      text: z.string(),
      ts: z.string(),
      thread_id: text,
      reply_count: z.number().nullish(),
      latest_reply: text,
    }),
  ),
  next_cursor: text,
  note: text,
});
export type ChatTranscript = z.infer<typeof chatTranscriptSchema>;

export const chatSessionInputSchema = z.looseObject({
  agent_id: z.string().optional(),
  title: text,
  project_id: text,
  status: z.string().optional(),
  pinned: z.boolean().optional(),
});
export type ChatSessionInput = z.infer<typeof chatSessionInputSchema>;

export const chatMessageInputSchema = z.looseObject({
  content: z.string().default(""),
  attachment_ids: z.array(z.string()).optional(),
});

import { z } from "zod";

const text = z.string().nullish();

/** server-api.md 13.3. */
const issueSchema = z.looseObject({
  id: z.string(),
  workspace_id: z.string(),
  number: z.number(),
  identifier: z.string(),
  title: z.string(),
  description: text,
  status: z.string(),
  priority: z.string(),
  assignee_type: text,
  assignee_id: text,
  creator_type: text,
  creator_id: text,
  parent_issue_id: text,
  project_id: text,
  position: z.number().nullish(),
  stage: z.number().nullish(),
  start_date: text,
  due_date: text,
  created_at: text,
  updated_at: text,
  revision: z.number().nullish(),
  last_activity_at: text,
  metadata: z.looseObject({}).nullish(),
  properties: z.looseObject({}).nullish(),
});
export type Issue = z.infer<typeof issueSchema>;

/**
 * Create and partial update (server-api.md 13.3.3, 13.3.4): a key that is present with null clears.
 * Values are checked by the service, which has the texts that clients know.
 */
export const issueInputSchema = z.looseObject({
  title: z.string().optional(),
  description: z.string().nullish(),
  status: z.string().optional(),
  priority: z.string().optional(),
  assignee_type: z.string().nullish(),
  assignee_id: z.string().nullish(),
  parent_issue_id: z.string().nullish(),
  project_id: z.string().nullish(),
  position: z.number().optional(),
  stage: z.number().int().nullish(),
  start_date: z.string().nullish(),
  due_date: z.string().nullish(),
  attachment_ids: z.array(z.string()).optional(),
  label_ids: z.array(z.string()).optional(),
  origin_type: z.string().optional(),
  origin_id: z.string().optional(),
  allow_duplicate: z.boolean().optional(),
  suppress_run: z.boolean().optional(),
  handoff_note: z.string().optional(),
  expected_revision: z.number().int().optional(),
});
/** Many issues at once (server-api.md 13.3.4). */
export const batchUpdateSchema = z.looseObject({ issue_ids: z.array(z.string()).default([]), updates: issueInputSchema.default({}) });
export const batchDeleteSchema = z.looseObject({ issue_ids: z.array(z.string()).default([]) });
export type IssueInput = z.infer<typeof issueInputSchema>;

/** server-api.md 13.5. */
const commentSchema = z.looseObject({
  id: z.string(),
  issue_id: z.string(),
  author_type: z.string(),
  author_id: text,
  content: z.string(),
  type: z.string().nullish(),
  parent_id: text,
  created_at: z.string(),
  updated_at: text,
  revision: z.number().nullish(),
  source_task_id: text,
  trigger_outcomes: z
    .array(z.looseObject({ target_type: z.string(), target_id: text, status: z.string(), reason_code: text }))
    .nullish(),
});
export type Comment = z.infer<typeof commentSchema>;

export const commentInputSchema = z.looseObject({
  content: z.string().default(""),
  type: z.string().optional(),
  parent_id: z.string().nullish(),
  attachment_ids: z.array(z.string()).optional(),
  suppress_agent_ids: z.array(z.string()).optional(),
});
export type CommentInput = z.input<typeof commentInputSchema>;

export const rerunSchema = z.looseObject({ task_id: z.string().optional() });

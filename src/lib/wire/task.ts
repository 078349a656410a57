import { z } from "zod";
import { repoSchema } from "./common.ts";

const text = z.string().nullish();

/** The agent inside a claim (server-api.md 5.4). */
const taskAgentSchema = z.looseObject({
  id: z.string(),
  name: z.string(),
  instructions: z.string().nullish(),
  // Read later, one task at a time: a bad skill must not make a whole claim unreadable.
  skills: z.array(z.looseObject({})).nullish(),
  skill_refs: z.array(z.looseObject({})).nullish(),
  custom_env: z.record(z.string(), z.string()).nullish(),
  custom_args: z.array(z.string()).nullish(),
  mcp_config: z.unknown().optional(),
  model: text,
  thinking_level: text,
  service_tier: text,
  runtime_config: z.unknown().optional(),
  disabled_runtime_skills: z.array(z.looseObject({ provider: text, root: text, key: text })).nullish(),
});
export type TaskAgent = z.infer<typeof taskAgentSchema>;

const coalescedCommentSchema = z.looseObject({
  id: z.string(),
  thread_id: text,
  author_type: text,
  author_name: text,
  content: z.string(),
  created_at: text,
});

/** A claimed task, as the daemon receives it (server-api.md 5.4). Only what identifies it is required. */
export const taskSchema = z.looseObject({
  id: z.string(),
  agent_id: z.string(),
  runtime_id: z.string(),
  workspace_id: z.string(),
  issue_id: text,
  status: z.string(),
  priority: z.number().nullish(),
  kind: text,
  created_at: text,
  dispatched_at: text,
  started_at: text,
  completed_at: text,
  attempt: z.number().nullish(),
  max_attempts: z.number().nullish(),
  parent_task_id: text,
  thread_name: text,
  workspace_context: text,
  requesting_user_name: text,
  requesting_user_profile_description: text,
  initiator_type: text,
  initiator_id: text,
  initiator_name: text,
  initiator_email: text,
  auth_token: text,
  agent: taskAgentSchema.nullish(),
  repos: z.array(repoSchema).nullish(),
  project_id: text,
  project_title: text,
  project_description: text,
  project_resources: z
    .array(z.looseObject({ id: text, resource_type: z.string(), resource_ref: z.unknown(), label: text }))
    .nullish(),
  prior_session_id: text,
  prior_work_dir: text,
  prior_session_resume_unavailable: z.boolean().nullish(),
  trigger_comment_id: text,
  trigger_thread_id: text,
  trigger_comment_content: text,
  trigger_author_type: text,
  trigger_author_name: text,
  trigger_summary: text,
  coalesced_comment_ids: z.array(z.string()).nullish(),
  coalesced_comments: z.array(coalescedCommentSchema).nullish(),
  delivered_comment_ids: z.array(z.string()).nullish(),
  new_comment_count: z.number().nullish(),
  new_comments_since: text,
  handoff_note: text,
  active_sibling_runs: z
    .array(
      z.looseObject({
        task_id: z.string(),
        issue_id: text,
        issue_identifier: text,
        issue_title: text,
        status: text,
        created_at: text,
        started_at: text,
      }),
    )
    .nullish(),
  connected_apps: z.array(z.looseObject({})).nullish(),
  remote_mcp_connections: z.array(z.unknown()).nullish(),
  plugin_hook_tools: z.array(z.unknown()).nullish(),
  regenerate_quick_actions_for: text,
  parent_issue_id: text,
  parent_issue_identifier: text,
  issue_statuses: z.array(z.looseObject({})).nullish(),
  issue_statuses_omitted: z.number().nullish(),
  squad_id: text,
  squad_name: text,
  is_leader_task: z.boolean().nullish(),
  leader_role_resolved: z.boolean().nullish(),
  chat_session_id: text,
  chat_message: text,
  chat_message_attachments: z.array(z.looseObject({ id: z.string(), filename: z.string(), content_type: text })).nullish(),
  chat_channel_type: text,
  chat_in_thread: z.boolean().nullish(),
  chat_type: text,
  chat_channel_delivers_files: z.boolean().nullish(),
  chat_intro: z.boolean().nullish(),
  autopilot_run_id: text,
  autopilot_id: text,
  autopilot_title: text,
  autopilot_description: text,
  autopilot_source: text,
  autopilot_trigger_payload: z.unknown().optional(),
  quick_create_prompt: text,
  quick_create_attachment_ids: z.array(z.string()).nullish(),
  quick_create_priority: text,
  quick_create_due_date: text,
});
export type Task = z.infer<typeof taskSchema>;

export const usageRowSchema = z.looseObject({
  provider: z.string().optional(),
  model: z.string(),
  input_tokens: z.number().int().nonnegative(),
  output_tokens: z.number().int().nonnegative(),
  cache_read_tokens: z.number().int().nonnegative(),
  cache_write_tokens: z.number().int().nonnegative(),
  cost_usd_ticks: z.number().int().nonnegative().optional(),
});
export type UsageRow = z.infer<typeof usageRowSchema>;

/** The row form of a task: answers to callbacks and user routes (server-api.md 5.4, "row form"). */
export const taskRowSchema = z.looseObject({
  id: z.string(),
  agent_id: z.string(),
  runtime_id: z.string().nullish(),
  workspace_id: z.string(),
  issue_id: text,
  status: z.string(),
  priority: z.number().nullish(),
  kind: text,
  attempt: z.number().nullish(),
  max_attempts: z.number().nullish(),
  parent_task_id: text,
  trigger_comment_id: text,
  result: z.unknown().optional(),
  error: text,
  failure_reason: text,
  session_id: text,
  work_dir: text,
  branch_name: text,
  wait_reason: text,
  created_at: text,
  dispatched_at: text,
  started_at: text,
  completed_at: text,
  usage: z.array(usageRowSchema).nullish(),
});
export type TaskRow = z.infer<typeof taskRowSchema>;

/** One entry of a run's transcript as the daemon sends it; `seq` starts at 1 (server-api.md 6.5). */
export const taskMessageSchema = z.looseObject({
  seq: z.number().int().positive(),
  type: z.string(),
  tool: z.string().optional(),
  content: z.string().optional(),
  input: z.unknown().optional(),
  output: z.string().optional(),
});
export type TaskMessage = z.infer<typeof taskMessageSchema>;

/** The same entry as it is read back. */
export const storedMessageSchema = taskMessageSchema.extend({
  task_id: z.string(),
  issue_id: text,
  created_at: z.string(),
});
export type StoredMessage = z.infer<typeof storedMessageSchema>;

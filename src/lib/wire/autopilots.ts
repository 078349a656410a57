import { z } from "zod";

const text = z.string().nullish();

export const AUTOPILOT_MODES = ["create_issue", "run_only"] as const;
export const AUTOPILOT_STATUSES = ["active", "paused", "archived"] as const;

/** server-api.md 13.13. */
const autopilotSchema = z.looseObject({
  id: z.string(),
  workspace_id: z.string(),
  title: z.string(),
  description: text,
  project_id: text,
  assignee_type: z.string(),
  assignee_id: z.string(),
  status: z.string(),
  execution_mode: z.string(),
  issue_title_template: text,
  created_by_type: text,
  created_by_id: text,
  last_run_at: text,
  next_run_at: text,
  created_at: text,
  updated_at: text,
});
export type Autopilot = z.infer<typeof autopilotSchema>;

const triggerSchema = z.looseObject({
  id: z.string(),
  autopilot_id: z.string(),
  kind: z.string(),
  enabled: z.boolean(),
  cron_expression: text,
  timezone: text,
  next_run_at: text,
  webhook_token: text,
  webhook_path: text,
  webhook_url: text,
  label: text,
  last_fired_at: text,
  created_at: text,
  updated_at: text,
});
export type AutopilotTrigger = z.infer<typeof triggerSchema>;

const runSchema = z.looseObject({
  id: z.string(),
  autopilot_id: z.string(),
  trigger_id: text,
  source: z.string(),
  status: z.string(),
  issue_id: text,
  task_id: text,
  triggered_at: text,
  completed_at: text,
  failure_reason: text,
  reason_code: text,
  created_at: text,
});
export type AutopilotRun = z.infer<typeof runSchema>;

/** Create and partial update; a key that is present with null clears. */
export const autopilotInputSchema = z.looseObject({
  title: z.string().optional(),
  description: text,
  project_id: text,
  priority: z.string().optional(),
  assignee_type: z.string().optional(),
  assignee_id: z.string().optional(),
  execution_mode: z.string().optional(),
  issue_title_template: text,
  status: z.string().optional(),
  subscribers: z.array(z.looseObject({ user_type: z.string().default("member"), user_id: z.string() })).optional(),
});
export type AutopilotInput = z.infer<typeof autopilotInputSchema>;

/** Of what a webhook is told only this event, and of it only these actions, start a run. */
const eventFilterSchema = z.looseObject({ event: z.string(), actions: z.array(z.string()).optional() });
export type EventFilter = z.infer<typeof eventFilterSchema>;

export const triggerInputSchema = z.looseObject({
  kind: z.string().optional(),
  enabled: z.boolean().optional(),
  cron_expression: text,
  timezone: text,
  label: text,
  provider: text,
  event_filters: z.array(eventFilterSchema).nullish(),
});
/** `PUT …/signing-secret`; null and the empty text take it away. */
export const signingSecretSchema = z.looseObject({ signing_secret: text });
export type TriggerInput = z.infer<typeof triggerInputSchema>;

/** `POST …/trigger`: run now. */
export const autopilotTriggerSchema = z.looseObject({ payload: z.unknown().optional() });

import { z } from "zod";
import { repoSchema } from "./common.ts";
import { pendingActionsShape } from "./pending.ts";
import { runtimeProfileSchema, runtimeSchema } from "./runtimes.ts";
import { taskMessageSchema, taskSchema, usageRowSchema } from "./task.ts";

const text = z.string().nullish();

/** server-api.md 4.1. */
export const registerRequestSchema = z.looseObject({
  workspace_id: z.string().default(""),
  daemon_id: z.string().default(""),
  legacy_daemon_ids: z.array(z.string()).nullish(),
  device_name: text,
  cli_version: text,
  launched_by: text,
  runtimes: z
    .array(
      z.looseObject({
        name: text,
        type: text,
        version: text,
        status: text,
        profile_id: text,
      }),
    )
    .nullish(),
  failed_profiles: z.array(z.looseObject({ profile_id: z.string(), command_name: text, reason: text })).nullish(),
});
export type RegisterRequest = z.input<typeof registerRequestSchema>;

const workspaceSettingsSchema = z.looseObject({
  github_enabled: z.boolean().nullish(),
  co_authored_by_enabled: z.boolean().nullish(),
});

export const registerResponseSchema = z.looseObject({
  runtimes: z.array(runtimeSchema),
  repos: z.array(repoSchema).nullish(),
  repos_version: z.string().nullish(),
  settings: workspaceSettingsSchema.nullish(),
});
export type RegisterResponse = z.infer<typeof registerResponseSchema>;

export const deregisterRequestSchema = z.looseObject({ runtime_ids: z.array(z.string()).default([]) });

/** server-api.md 4.3. */
export const heartbeatRequestSchema = z.looseObject({
  runtime_id: z.string().default(""),
  supports_batch_import: z.boolean().optional(),
});

export const heartbeatResponseSchema = z.looseObject({ status: z.string(), ...pendingActionsShape });
export type HeartbeatResponse = z.infer<typeof heartbeatResponseSchema>;

/** server-api.md 4.4. */
export const daemonWorkspacesSchema = z.array(z.looseObject({ id: z.string(), name: z.string() }));
export type DaemonWorkspace = z.infer<typeof daemonWorkspacesSchema>[number];

/** server-api.md 4.5. */
export const workspaceReposSchema = z.looseObject({
  workspace_id: z.string(),
  repos: z.array(repoSchema),
  repos_version: z.string(),
  settings: workspaceSettingsSchema.nullish(),
});
export type WorkspaceRepos = z.infer<typeof workspaceReposSchema>;

/** server-api.md 4.6. */
export const daemonProfilesSchema = z.looseObject({
  workspace_id: z.string(),
  runtime_profiles: z.array(runtimeProfileSchema),
});

/** server-api.md 5.2. */
export const claimRequestSchema = z.looseObject({
  daemon_id: z.string().default(""),
  runtime_ids: z.array(z.string()).default([]),
  max_tasks: z.number().int().default(0),
});
export type ClaimRequest = z.input<typeof claimRequestSchema>;
export const claimResponseSchema = z.looseObject({ tasks: z.array(taskSchema) });
export const singleClaimResponseSchema = z.looseObject({ task: taskSchema.nullable() });

/** Callbacks of a task: server-api.md 6. */
export const waitLocalDirectorySchema = z.looseObject({ reason: z.string().default("") });
export const progressSchema = z.looseObject({
  summary: z.string().default(""),
  step: z.number().int().default(0),
  total: z.number().int().default(0),
});
export const messagesRequestSchema = z.looseObject({ messages: z.array(taskMessageSchema).default([]) });
export const usageRequestSchema = z.looseObject({ usage: z.array(usageRowSchema).default([]) });
export const sessionPinSchema = z.looseObject({ session_id: text, work_dir: text });
export const completeRequestSchema = z.looseObject({
  output: z.string().default(""),
  session_id: text,
  work_dir: text,
  branch_name: text,
  durable_work_dir: text,
  session_rollout_missing: z.boolean().nullish(),
  retired_session_id: text,
  pr_url: text,
});
export type CompleteRequest = z.input<typeof completeRequestSchema>;
export const failRequestSchema = z.looseObject({
  error: z.string().default(""),
  failure_reason: text,
  session_id: text,
  work_dir: text,
  branch_name: text,
  durable_work_dir: text,
  session_rollout_missing: z.boolean().nullish(),
  retired_session_id: text,
});
export type FailRequest = z.input<typeof failRequestSchema>;
export const cancelAckSchema = z.looseObject({
  branch_name: text,
  durable_work_dir: text,
  error_message: text,
  failure_reason: text,
});
export type CancelAck = z.input<typeof cancelAckSchema>;
/** Batch check of issues (server-api.md 8). */
export const gcCheckSchema = z.looseObject({ issue_ids: z.array(z.string()).default([]) });
export const taskStatusSchema = z.looseObject({ status: z.string() });
export const orphansSchema = z.looseObject({ orphaned: z.number(), retried: z.number() });
export const renewSchema = z.looseObject({ expires_at: z.string(), renewed: z.boolean() });

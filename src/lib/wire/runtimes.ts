import { z } from "zod";

const text = z.string().nullish();

/** server-api.md 4.1, `AgentRuntime`. */
export const runtimeSchema = z.looseObject({
  id: z.string(),
  workspace_id: text,
  daemon_id: text,
  name: z.string(),
  custom_name: text,
  runtime_mode: text,
  provider: z.string(),
  launch_header: text,
  status: z.string(),
  device_info: text,
  metadata: z.looseObject({}).nullish(),
  owner_id: text,
  visibility: text,
  profile_id: text,
  last_seen_at: text,
  created_at: text,
  updated_at: text,
});
export type AgentRuntime = z.infer<typeof runtimeSchema>;

export const runtimePatchSchema = z.looseObject({
  visibility: z.string().optional(),
  custom_name: z.string().nullish(),
  apply_to_machine: z.boolean().optional(),
});

export type RuntimePatch = z.infer<typeof runtimePatchSchema>;

/** `POST …/unbind-agents-and-delete` (server-api.md 13.10): the agents the caller has seen. */
export const runtimeCascadeSchema = z.looseObject({ expected_active_agent_ids: z.array(z.string()) });

/** What one runtime spent on one day with one model (server-api.md 13.10). */
export interface RuntimeUsage {
  readonly date: string;
  readonly provider: string;
  readonly model: string;
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly cache_read_tokens: number;
  readonly cache_write_tokens: number;
}

/** server-api.md 4.6, `RuntimeProfile`. */
export const runtimeProfileSchema = z.looseObject({
  id: z.string(),
  workspace_id: text,
  display_name: z.string(),
  protocol_family: z.string(),
  command_name: z.string(),
  description: text,
  fixed_args: z.array(z.string()).nullish(),
  visibility: text,
  created_by: text,
  enabled: z.boolean(),
  created_at: text,
  updated_at: text,
});
export type RuntimeProfile = z.infer<typeof runtimeProfileSchema>;

/** server-api.md 13.2, runtime profiles: create and partial update take the same fields. */
export const profileInputSchema = z.looseObject({
  display_name: z.string().optional(),
  protocol_family: z.string().optional(),
  command_name: z.string().optional(),
  description: z.string().nullish(),
  fixed_args: z.array(z.string()).optional(),
  visibility: z.string().optional(),
  enabled: z.boolean().optional(),
});
export type ProfileInput = z.infer<typeof profileInputSchema>;

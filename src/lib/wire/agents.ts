import { z } from "zod";

const text = z.string().nullish();

/** server-api.md 13.9. */
const agentSchema = z.looseObject({
  id: z.string(),
  workspace_id: z.string(),
  runtime_id: text,
  name: z.string(),
  description: text,
  instructions: text,
  custom_args: z.array(z.string()).nullish(),
  model: text,
  thinking_level: text,
  visibility: text,
  permission_mode: text,
  status: text,
  max_concurrent_tasks: z.number().nullish(),
  owner_id: text,
  created_at: text,
  updated_at: text,
  archived_at: text,
});
export type Agent = z.infer<typeof agentSchema>;

/** Create and partial update take the same fields (server-api.md 13.9.1); what is required is checked by the service. */
export const agentInputSchema = z.looseObject({
  name: z.string().optional(),
  runtime_id: z.string().optional(),
  description: z.string().nullish(),
  instructions: z.string().nullish(),
  avatar_url: z.string().nullish(),
  runtime_config: z.unknown().optional(),
  custom_env: z.record(z.string(), z.string()).optional(),
  custom_args: z.array(z.string()).optional(),
  mcp_config: z.unknown().optional(),
  visibility: z.string().optional(),
  permission_mode: z.string().optional(),
  invocation_targets: z
    .array(z.looseObject({ target_type: z.string(), target_id: z.string().nullish() }))
    .optional(),
  max_concurrent_tasks: z.number().int().optional(),
  model: z.string().nullish(),
  thinking_level: z.string().nullish(),
  service_tier: z.string().nullish(),
  status: z.string().optional(),
  skill_ids: z.array(z.string()).optional(),
});
export type AgentInput = z.infer<typeof agentInputSchema>;

export const agentEnvSchema = z.looseObject({
  agent_id: z.string().optional(),
  custom_env: z.record(z.string(), z.string()),
});

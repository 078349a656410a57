import { z } from "zod";

const text = z.string().nullish();

const requestSchema = z.looseObject({ id: z.string() });
const importRequestSchema = z.looseObject({ id: z.string(), skill_key: z.string() });

/**
 * What a heartbeat or its ack may ask of the daemon (server-api.md 4.3, 10.2). Each request is handed over once: the
 * daemon that reads it owns it. The list of imports wins over the single form.
 */
export const pendingActionsShape = {
  pending_update: z.looseObject({ id: z.string(), target_version: z.string() }).nullish(),
  pending_model_list: requestSchema.nullish(),
  pending_local_skills: requestSchema.nullish(),
  pending_local_skill_imports: z.array(importRequestSchema).nullish(),
  pending_local_skill_import: importRequestSchema.nullish(),
} as const;
const pendingActionsSchema = z.looseObject(pendingActionsShape);
export type PendingActions = z.infer<typeof pendingActionsSchema>;

/** The most imports one heartbeat hands over. */
export const MAX_PENDING_IMPORTS = 10;

/** server-api.md 9.1; `running` may be said once before the end. */
export const updateResultSchema = z.looseObject({ status: z.string().default(""), output: text, error: text });
export type UpdateResult = z.input<typeof updateResultSchema>;

const modelEntrySchema = z.looseObject({
  id: z.string(),
  label: z.string().default(""),
  provider: text,
  default: z.boolean().nullish(),
  thinking: z
    .looseObject({
      supported_levels: z.array(z.looseObject({ value: z.string(), label: z.string().default(""), description: text })).default([]),
      default_level: text,
    })
    .nullish(),
  service_tiers: z.array(z.looseObject({ id: z.string(), name: z.string().default(""), description: text })).nullish(),
});
export type ModelEntry = z.input<typeof modelEntrySchema>;

/** server-api.md 9.2. `supported: false`: this provider takes no model choice; `fallback`: a built-in list. */
export const modelListResultSchema = z.looseObject({
  status: z.string().default(""),
  models: z.array(modelEntrySchema).nullish(),
  supported: z.boolean().default(true),
  fallback: z.boolean().nullish(),
  error: text,
});
export type ModelListResult = z.input<typeof modelListResultSchema>;

const localSkillSchema = z.looseObject({
  key: z.string(),
  name: z.string(),
  description: text,
  source_path: z.string().default(""),
  provider: z.string().default(""),
  root: text,
  plugin: text,
  can_disable: z.boolean().nullish(),
  file_count: z.number().int().nonnegative().default(0),
});
export type LocalSkill = z.input<typeof localSkillSchema>;

const mcpServerSchema = z.looseObject({ name: z.string(), transport: text, source: text, enabled: z.boolean().default(true) });
export type McpServerEntry = z.input<typeof mcpServerSchema>;

/** server-api.md 9.3: what lies in the agent's own skill directories, and the MCP servers it would start. */
export const localSkillsResultSchema = z.looseObject({
  status: z.string().default(""),
  skills: z.array(localSkillSchema).nullish(),
  supported: z.boolean().default(true),
  mcp_servers: z.array(mcpServerSchema).nullish(),
  mcp_supported: z.boolean().nullish(),
  error: text,
});
export type LocalSkillsResult = z.input<typeof localSkillsResultSchema>;

const importedSkillSchema = z.looseObject({
  name: z.string(),
  description: z.string().default(""),
  content: z.string().default(""),
  source_path: z.string().default(""),
  provider: z.string().default(""),
  files: z.array(z.looseObject({ path: z.string(), content: z.string() })).default([]),
});
export type ImportedSkill = z.input<typeof importedSkillSchema>;

/** server-api.md 9.4. */
export const localSkillImportResultSchema = z.looseObject({
  status: z.string().default(""),
  skill: importedSkillSchema.nullish(),
  error: text,
});
export type LocalSkillImportResult = z.input<typeof localSkillImportResultSchema>;

/** User side of the same requests (server-api.md 13.10). */
export const updateRequestSchema = z.looseObject({ target_version: z.string().default("") });
export const localSkillImportRequestSchema = z.looseObject({
  skill_key: z.string().default(""),
  name: text,
  description: text,
  action: text,
  target_skill_id: text,
  supports_conflict: z.boolean().nullish(),
});

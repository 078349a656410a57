import { z } from "zod";

const text = z.string().nullish();

const refFileSchema = z.looseObject({ path: z.string(), sha256: z.string(), size_bytes: z.number().int().nonnegative() });

/** A skill by name and hash, as a claim carries it for daemons with `skill-bundles-v1` (server-api.md 7.1). */
export const skillRefSchema = z.looseObject({
  id: z.string(),
  source: z.string().nullish(),
  name: z.string(),
  description: text,
  hash: z.string(),
  size_bytes: z.number().int().nonnegative().nullish(),
  file_count: z.number().int().nonnegative().nullish(),
  files: z.array(refFileSchema).nullish(),
});
export type SkillRef = z.infer<typeof skillRefSchema>;

const bundleFileSchema = z.looseObject({
  path: z.string(),
  content: z.string(),
  sha256: text,
  size_bytes: z.number().int().nonnegative().nullish(),
});

/** A skill with everything in it (server-api.md 7.1). `sha256` values begin with `sha256:`. */
export const skillDataSchema = z.looseObject({
  id: z.string().nullish(),
  source: text,
  name: z.string(),
  description: text,
  hash: text,
  size_bytes: z.number().int().nonnegative().nullish(),
  content: z.string().default(""),
  files: z.array(bundleFileSchema).nullish(),
});
export type SkillData = z.infer<typeof skillDataSchema>;

/** server-api.md 7.3. Of a reference only `id`, `source` and `hash` matter. */
export const resolveBundlesSchema = z.looseObject({
  skills: z.array(z.looseObject({ id: z.string().default(""), source: text, hash: text })).default([]),
});
export type ResolveBundles = z.input<typeof resolveBundlesSchema>;
export const resolvedBundlesSchema = z.looseObject({ bundles: z.array(skillDataSchema) });

const skillFileInputSchema = z.looseObject({ path: z.string(), content: z.string().default("") });

/** Create and partial update of a skill; present `files` replace all (server-api.md 13.11). */
export const skillInputSchema = z.looseObject({
  name: z.string().optional(),
  description: z.string().nullish(),
  content: z.string().nullish(),
  config: z.unknown().optional(),
  files: z.array(skillFileInputSchema).optional(),
});
export type SkillInput = z.infer<typeof skillInputSchema>;
export const skillFilePutSchema = skillFileInputSchema;

export const CONFLICT_RULES = ["fail", "overwrite", "rename", "skip"] as const;
export type ConflictRule = (typeof CONFLICT_RULES)[number];

/** `POST /api/skills/import` with an address (server-api.md 13.11). */
export const skillImportSchema = z.looseObject({ url: z.string().default(""), on_conflict: z.string().optional() });

/** `PUT …/agents/{id}/skills` replaces, `POST …/skills/add` adds (server-api.md 13.9.1). */
export const skillIdsSchema = z.looseObject({ skill_ids: z.array(z.string()).default([]) });
export const skillEnabledSchema = z.looseObject({ enabled: z.boolean() });

/** An entry of a catalogue of skills (server-api.md 13.11). */
export const catalogueEntrySchema = z.looseObject({
  name: z.string(),
  url: z.string(),
  source: z.string().default(""),
  repo: z.string().nullable().default(null),
  install_count: z.number().nullable().default(null),
  github_stars: z.number().nullable().default(null),
  description: z.string().default(""),
});
export type CatalogueEntry = z.infer<typeof catalogueEntrySchema>;

const storedFileSchema = z.looseObject({ id: z.string(), skill_id: text, path: z.string(), content: z.string() });
const skillSchema = z.looseObject({
  id: z.string(),
  workspace_id: z.string(),
  name: z.string(),
  description: text,
  content: text,
  created_by: text,
  created_at: text,
  updated_at: text,
  files: z.array(storedFileSchema).nullish(),
});
export type Skill = z.infer<typeof skillSchema>;

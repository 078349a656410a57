import { z } from "zod";

const text = z.string().nullish();

export const RESOURCE_TYPES = ["github_repo", "local_directory"] as const;

/** server-api.md 13.8. What `resource_ref` holds depends on the type. */
const projectResourceSchema = z.looseObject({
  id: z.string(),
  project_id: z.string(),
  resource_type: z.string(),
  resource_ref: z.unknown(),
  label: text,
  position: z.number().nullish(),
  created_at: text,
  created_by: text,
});
export type ProjectResource = z.infer<typeof projectResourceSchema>;

const projectSchema = z.looseObject({
  id: z.string(),
  workspace_id: z.string(),
  title: z.string(),
  description: text,
  icon: text,
  status: z.string(),
  priority: text,
  lead_type: text,
  lead_id: text,
  start_date: text,
  due_date: text,
  created_at: text,
  updated_at: text,
  issue_count: z.number().nullish(),
  done_count: z.number().nullish(),
  resource_count: z.number().nullish(),
  resources: z.array(projectResourceSchema).nullish(),
});
export type Project = z.infer<typeof projectSchema>;

export const resourceInputSchema = z.looseObject({
  resource_type: z.string().optional(),
  resource_ref: z.unknown().optional(),
  label: text,
  position: z.number().int().optional(),
});
export type ResourceInput = z.infer<typeof resourceInputSchema>;

/** Create and partial update; a key that is present with null clears (server-api.md 13.8). */
export const projectInputSchema = z.looseObject({
  title: z.string().optional(),
  description: text,
  icon: text,
  status: z.string().optional(),
  priority: z.string().optional(),
  lead_type: text,
  lead_id: text,
  start_date: text,
  due_date: text,
  resources: z.array(resourceInputSchema).optional(),
});
export type ProjectInput = z.infer<typeof projectInputSchema>;

/** The two shapes of `resource_ref`. */
export const repoRefSchema = z.looseObject({ url: z.string(), ref: text, default_branch_hint: text });
export const directoryRefSchema = z.looseObject({
  local_path: z.string(),
  daemon_id: z.string(),
  label: text,
  execution_mode: z.enum(["in_place", "worktree"]).nullish(),
});

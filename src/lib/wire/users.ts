import { z } from "zod";
import { repoSchema } from "./common.ts";

const text = z.string().nullish();

/** server-api.md 13.1.4. */
export const userSchema = z.looseObject({
  id: z.string(),
  name: z.string(),
  email: z.string(),
  language: text,
  timezone: text,
  profile_description: text,
  created_at: text,
  updated_at: text,
});
export type User = z.infer<typeof userSchema>;
export const userPatchSchema = z.looseObject({
  name: z.string().optional(),
  avatar_url: z.string().nullish(),
  language: z.string().nullish(),
  timezone: z.string().nullish(),
  profile_description: z.string().nullish(),
});

/** server-api.md 13.1.3. */
const tokenSchema = z.looseObject({
  id: z.string(),
  name: z.string(),
  token_prefix: z.string(),
  expires_at: text,
  last_used_at: text,
  created_at: text,
  token: z.string().optional(),
});
export type TokenInfo = z.infer<typeof tokenSchema>;
export const tokenRequestSchema = z.looseObject({
  name: z.string().default(""),
  expires_in_days: z.number().int().positive().optional(),
});

/** server-api.md 13.2. */
const workspaceSchema = z.looseObject({
  id: z.string(),
  name: z.string(),
  slug: z.string(),
  description: text,
  context: text,
  settings: z.looseObject({}).nullish(),
  repos: z.array(repoSchema).nullish(),
  issue_prefix: text,
  created_at: text,
  updated_at: text,
});
export type Workspace = z.infer<typeof workspaceSchema>;
export const workspacesSchema = z.array(workspaceSchema);
export const workspaceInputSchema = z.looseObject({
  name: z.string().optional(),
  slug: z.string().optional(),
  description: z.string().nullish(),
  context: z.string().nullish(),
  settings: z.looseObject({}).optional(),
  repos: z.array(repoSchema).optional(),
  issue_prefix: z.string().optional(),
  avatar_url: z.string().nullish(),
});
export type WorkspaceInput = z.infer<typeof workspaceInputSchema>;

const memberSchema = z.looseObject({
  id: z.string(),
  workspace_id: z.string(),
  user_id: z.string(),
  role: z.string(),
  name: z.string(),
  email: z.string(),
});
export type Member = z.infer<typeof memberSchema>;

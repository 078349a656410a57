import { z } from "zod";

const text = z.string().nullish();

const squadMemberSchema = z.looseObject({
  id: z.string().nullish(),
  squad_id: text,
  member_type: z.string(),
  member_id: z.string(),
  role: text,
  created_at: text,
});
export type SquadMember = z.infer<typeof squadMemberSchema>;

/** server-api.md 13.12. */
const squadSchema = z.looseObject({
  id: z.string(),
  workspace_id: z.string(),
  name: z.string(),
  description: text,
  instructions: text,
  avatar_url: text,
  leader_id: z.string(),
  creator_id: text,
  created_at: text,
  updated_at: text,
  archived_at: text,
  member_count: z.number().nullish(),
  member_preview: z.array(squadMemberSchema).nullish(),
});
export type Squad = z.infer<typeof squadSchema>;

/** Create and partial update. */
export const squadInputSchema = z.looseObject({
  name: z.string().optional(),
  description: text,
  instructions: text,
  leader_id: z.string().optional(),
  avatar_url: text,
});
export type SquadInput = z.infer<typeof squadInputSchema>;

export const squadMemberInputSchema = z.looseObject({
  member_type: z.string().default("agent"),
  member_id: z.string().default(""),
  role: z.string().optional(),
});
export type SquadMemberInput = z.infer<typeof squadMemberInputSchema>;

/** `POST /api/issues/{id}/squad-evaluated`: what a leader decided about its issue (server-api.md 13.12). */
export const squadEvaluationSchema = z.looseObject({ outcome: z.string().default(""), reason: z.string().default("") });

/** `POST /api/issues/quick-create` (server-api.md 13.3.6). */
export const quickCreateSchema = z.looseObject({
  agent_id: text,
  squad_id: text,
  prompt: z.string().default(""),
  priority: text,
  due_date: text,
  project_id: text,
  parent_issue_id: text,
  attachment_ids: z.array(z.string()).nullish(),
});

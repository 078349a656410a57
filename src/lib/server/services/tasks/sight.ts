import type { Actor } from "../../context.ts";

/**
 * Which runs a caller may see in a list, as a condition on a task `t`: conversations are their person's alone, whoever
 * works in the workspace (server-api.md 13.14). The statement needs `:viewer` (`viewerOf`).
 */
export const VISIBLE = `(t.chat_session_id IS NULL OR EXISTS (SELECT 1 FROM chat_session s WHERE s.id = t.chat_session_id AND s.creator_id = :viewer))`;

export function viewerOf(actor: Actor): string | null {
  return actor.type === "member" ? actor.userId : null;
}

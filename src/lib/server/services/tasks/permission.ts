import type { Db } from "../../../platform/index.ts";
import type { Actor } from "../../context.ts";
import { one } from "../../db/query.ts";
import { type AgentRow, targetsOf } from "../../rows/index.ts";

/**
 * The human a run is started for: the member who acts, or, when an agent acts, the one at the start of its chain.
 * Null when nobody is known, as for the server's own triggers (server-api.md 13.9.4).
 */
export function originatorOf(db: Db, actor: Actor | null): string | null {
  if (actor === null) return null;
  if (actor.type === "member") return actor.userId;
  if (actor.taskId === undefined) return null;
  const row = one<{ originator_user_id: string | null }>(db, "SELECT originator_user_id FROM task WHERE id = :id", {
    id: actor.taskId,
  });
  return row?.originator_user_id ?? null;
}

/** Whether `userId` (null: a chain without a known human) may start runs of the agent (server-api.md 13.9.4). */
export function mayInvoke(agent: AgentRow, userId: string | null): boolean {
  if (userId !== null && agent.owner_id === userId) return true;
  if (agent.permission_mode !== "public_to") return false;
  return targetsOf(agent).some(
    (target) => target.target_type === "workspace" || (target.target_type === "member" && target.target_id === userId && userId !== null),
  );
}

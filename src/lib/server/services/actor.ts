import type { Actor } from "../context.ts";

/** Id that is recorded for an actor: the agent's or the user's. */
export function actorId(actor: Actor): string {
  return actor.type === "agent" ? (actor.agentId ?? actor.userId) : actor.userId;
}

import type { SqlParams } from "../../../platform/index.ts";
import type { Actor } from "../../context.ts";
import { one } from "../../db/query.ts";
import type { AgentRow, RuntimeRow, TaskRow } from "../../rows/index.ts";
import type { Tx } from "../../transaction.ts";
import { mayInvoke, originatorOf } from "./permission.ts";
import { insertTask } from "./queue.ts";

export interface DetachedInput {
  readonly agentId: string;
  readonly workspaceId: string;
  /** Who starts it; null for a schedule, whose runs serve `originator`. */
  readonly actor: Actor | null;
  readonly originator?: string | null;
  /** What makes it a chat turn, an autopilot's run or a quick create, and its priority. */
  readonly columns: SqlParams;
  /** Refuses an agent whose machine is away: nobody would come back to such a request. */
  readonly online?: boolean;
}

export type DetachedOutcome =
  | { readonly kind: "queued"; readonly task: TaskRow }
  | { readonly kind: "blocked"; readonly reason: DetachedRefusal };
export type DetachedRefusal = "target_unavailable" | "agent_runtime_required" | "runtime_offline" | "invocation_not_allowed";

/** Starts a run that belongs to no issue, under the general gates (server-api.md 11.2). */
export function enqueueDetached(tx: Tx, input: DetachedInput): DetachedOutcome {
  const agent = one<AgentRow>(tx.db, "SELECT * FROM agent WHERE id = :id AND workspace_id = :ws", { id: input.agentId, ws: input.workspaceId });
  if (agent === undefined || agent.archived_at !== null) return { kind: "blocked", reason: "target_unavailable" };
  const runtime =
    agent.runtime_id === null ? undefined : one<RuntimeRow>(tx.db, "SELECT * FROM agent_runtime WHERE id = :id", { id: agent.runtime_id });
  if (runtime === undefined) return { kind: "blocked", reason: "agent_runtime_required" };
  if (input.online === true && runtime.status !== "online") return { kind: "blocked", reason: "runtime_offline" };
  const { actor } = input;
  const originator = input.originator ?? originatorOf(tx.db, actor);
  if (!mayInvoke(agent, originator)) return { kind: "blocked", reason: "invocation_not_allowed" };
  const task = insertTask(tx, {
    agent_id: agent.id,
    runtime_id: runtime.id,
    workspace_id: input.workspaceId,
    status: "queued",
    originator_user_id: originator,
    initiator_type: actor === null ? null : actor.type,
    initiator_id: actor === null ? null : actor.type === "agent" ? (actor.agentId ?? null) : actor.userId,
    ...input.columns,
  });
  return { kind: "queued", task };
}

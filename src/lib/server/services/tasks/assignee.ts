import type { IssueRow } from "../../rows/index.ts";
import type { Tx } from "../../transaction.ts";
import { activeSquad } from "../squads/leading.ts";

/** An agent to be started, and the squad it would lead in that run. */
export interface RunTarget {
  readonly agentId: string;
  readonly squadId?: string;
}

/** Who works on an issue: its agent, or the leader of its squad; undefined for people and nobody. */
export function assignedTarget(tx: Tx, issue: IssueRow): RunTarget | undefined {
  const { assignee_type: type, assignee_id: id } = issue;
  if (id === null) return undefined;
  if (type === "agent") return { agentId: id };
  const squad = type === "squad" ? activeSquad(tx.db, issue.workspace_id, id) : undefined;
  return squad === undefined ? undefined : { agentId: squad.leader_id, squadId: squad.id };
}

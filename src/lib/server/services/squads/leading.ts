import { all, insert, one } from "../../db/query.ts";
import { HttpError, badRequest } from "../../http-error.ts";
import type { Scope } from "../../http/scope.ts";
import { type IssueRow, type SquadRow, type TaskRow, isoSeconds } from "../../rows/index.ts";
import type { Tx } from "../../transaction.ts";

const EVALUATED = "squad_leader_evaluated";

/** A squad that can still be given work; undefined for an archived or unknown one. */
export function activeSquad(db: Tx["db"], workspaceId: string, id: string): SquadRow | undefined {
  const sql = "SELECT * FROM squad WHERE id = :id AND workspace_id = :workspaceId AND archived_at IS NULL";
  return one<SquadRow>(db, sql, { id, workspaceId });
}

/** What a leader is told of its squad, behind its own instructions (server-api.md 5.4, "Squad"). */
export function leaderBriefing(db: Tx["db"], squad: SquadRow): string {
  const sql = `SELECT m.member_type, m.member_id, m.role, coalesce(a.name, u.name) AS name, a.description, a.archived_at
    FROM squad_member m LEFT JOIN agent a ON m.member_type = 'agent' AND a.id = m.member_id
      LEFT JOIN user u ON m.member_type = 'member' AND u.id = m.member_id
    WHERE m.squad_id = :id ORDER BY m.created_at, m.rowid`;
  const rows = all<{ member_type: string; member_id: string; role: string; name: string | null; description: string | null; archived_at: number | null }>(
    db,
    sql,
    { id: squad.id },
  );
  const members = rows
    .filter((row) => row.name !== null && row.archived_at === null && row.member_id !== squad.leader_id)
    .map((row) => {
      const about = row.description ? `: ${row.description.replace(/\s+/g, " ")}` : "";
      return `- [@${row.name ?? ""}](mention://${row.member_type}/${row.member_id}) (${row.member_type === "agent" ? "agent" : "person"}, ${row.role})${about}`;
    });
  const parts = [
    `# Squad ${squad.name}`,
    "You lead this squad. Decide who does what; a member's link in a comment hands that member the work and starts an agent's run.",
    ...[squad.description, squad.instructions].map((text) => text.trim()).filter((text) => text !== ""),
    members.length === 0 ? "The squad has no other members: the work is yours." : `Members:\n${members.join("\n")}`,
    "Record each decision with `multica squad activity <issue> action|no_action|failed --reason \"…\"`. After `no_action` write no comment.",
  ];
  return parts.join("\n\n");
}

/** Records what a leader decided in its task on the issue (server-api.md 13.12). */
export function recordEvaluation(tx: Tx, scope: Scope, issue: IssueRow, input: { readonly outcome: string; readonly reason: string }): object {
  const { outcome } = input;
  if (outcome !== "action" && outcome !== "no_action" && outcome !== "failed") {
    throw badRequest("outcome must be 'action', 'no_action', or 'failed'");
  }
  const { actor } = scope;
  const task = actor.taskId === undefined ? undefined : one<TaskRow>(tx.db, "SELECT * FROM task WHERE id = :id", { id: actor.taskId });
  const squadId = issue.assignee_type === "squad" ? issue.assignee_id : (task?.squad_id ?? null);
  const squad = squadId === null ? undefined : activeSquad(tx.db, issue.workspace_id, squadId);
  if (squad === undefined) throw badRequest("issue is not assigned to a squad");
  if (actor.type !== "agent" || actor.agentId !== squad.leader_id || task === undefined) {
    throw new HttpError(403, "only the squad leader agent can record evaluations");
  }
  if (task.issue_id !== issue.id) throw badRequest("task does not belong to issue");
  const id = tx.newId();
  insert(tx.db, "activity", {
    id,
    workspace_id: issue.workspace_id,
    issue_id: issue.id,
    actor_type: "agent",
    actor_id: squad.leader_id,
    action: EVALUATED,
    details: JSON.stringify({ outcome, reason: input.reason, task_id: task.id, squad_id: squad.id }),
    created_at: tx.now,
  });
  return { id, action: EVALUATED, created_at: isoSeconds(tx.now) };
}

/** True once the task's leader has recorded that nothing is to be done: then no comment may follow (server-api.md 13.5.2). */
export function declinedToAct(db: Tx["db"], issueId: string, taskId: string): boolean {
  const sql = `SELECT 1 FROM activity WHERE issue_id = :issueId AND action = '${EVALUATED}'
    AND json_extract(details, '$.task_id') = :taskId AND json_extract(details, '$.outcome') = 'no_action' LIMIT 1`;
  return one(db, sql, { issueId, taskId }) !== undefined;
}

import type { Task } from "../../../wire/index.ts";
import { one } from "../../db/query.ts";
import {
  type AgentRow,
  type IssueRow,
  type RuntimeRow,
  type TaskRow,
  type UserRow,
  type WorkspaceRow,
  isoOrNull,
  isoSeconds,
  issueIdentifier,
  objectColumn,
  stringsColumn,
  taskKind,
} from "../../rows/index.ts";
import type { Tx } from "../../transaction.ts";
import { effectiveMcpConfig } from "../mcp/agent-servers.ts";
import { needsWorktree, projectFields } from "../projects/claim-fields.ts";
import { claimSkills } from "../skills/bundles.ts";
import { activeSquad, leaderBriefing } from "../squads/leading.ts";
import { commentFields } from "./claim-comments.ts";
import { detachedFields } from "./claim-detached.ts";
import { resumeFor } from "./resume-lookup.ts";

/** A task as a claim answers it, with the token of its run (server-api.md 5.4). */
export type ClaimedTask = Task & { readonly auth_token: string };

export type BuiltClaim =
  | { readonly kind: "built"; readonly payload: Task; readonly ownerId: string }
  | { readonly kind: "refused"; readonly message: string; readonly status: 422 | 500; readonly reason?: string };

/**
 * Everything a daemon needs to run the task, but for the token. `refused` when the task must not run at all: its agent,
 * runtime or issue belong to different workspaces, or nobody owns the runtime (server-api.md 5.6, 14.6).
 */
export function buildClaim(tx: Tx, task: TaskRow, runtime: RuntimeRow, capabilities: ReadonlySet<string>): BuiltClaim {
  const workspace = need(one<WorkspaceRow>(tx.db, "SELECT * FROM workspace WHERE id = :id", { id: task.workspace_id }), "workspace");
  const agent = need(one<AgentRow>(tx.db, "SELECT * FROM agent WHERE id = :id", { id: task.agent_id }), "agent");
  const issue = issueOf(tx, task.issue_id);
  const foreign = [agent, runtime, issue].some((row) => row !== undefined && row.workspace_id !== workspace.id);
  if (foreign) return { kind: "refused", status: 500, message: "task isolation check failed: agent, runtime and issue belong to different workspaces" };
  if (runtime.owner_id === null) return { kind: "refused", status: 500, message: "runtime owner required to mint task token" };
  const detached = detachedFields(tx, task);
  if (detached.refusal !== undefined) return { kind: "refused", status: 500, message: detached.refusal };
  const projectId = issue?.project_id ?? detached.projectId;
  if (needsWorktree(tx, projectId, runtime, capabilities)) {
    return { kind: "refused", status: 422, reason: "local_directory_error", message: "the project's directory needs a worktree, which this daemon cannot make" };
  }
  const squad = task.squad_id === null ? undefined : activeSquad(tx.db, workspace.id, task.squad_id);
  const payload: Task = {
    ...identity(task),
    ...people(tx, task),
    ...resume(tx, task),
    ...issueFields(tx, task, issue, workspace),
    ...commentFields(tx, task, capabilities),
    ...detached.fields,
    ...text("workspace_context", workspace.context),
    ...(squad === undefined ? {} : { squad_id: squad.id, squad_name: squad.name }),
    agent: {
      ...agentFields(tx, agent),
      ...(squad === undefined || task.is_leader_task === 0 ? {} : { instructions: [agent.instructions, leaderBriefing(tx.db, squad)].filter((part) => part !== "").join("\n\n") }),
      ...claimSkills(tx, agent.id, capabilities),
    },
    ...projectFields(tx, workspace, projectId),
    leader_role_resolved: true,
    is_leader_task: task.is_leader_task === 1,
  };
  return { kind: "built", payload, ownerId: runtime.owner_id };
}

function identity(task: TaskRow) {
  return {
    id: task.id,
    agent_id: task.agent_id,
    runtime_id: task.runtime_id,
    workspace_id: task.workspace_id,
    issue_id: task.issue_id ?? "",
    status: task.status,
    priority: task.priority,
    kind: taskKind(task),
    created_at: isoSeconds(task.created_at),
    dispatched_at: isoOrNull(task.dispatched_at),
    started_at: isoOrNull(task.started_at),
    completed_at: isoOrNull(task.completed_at),
    attempt: task.attempt,
    max_attempts: task.max_attempts,
    ...text("parent_task_id", task.parent_task_id),
  };
}

function agentFields(tx: Tx, agent: AgentRow) {
  const mcp = effectiveMcpConfig(tx.db, agent);
  const env = Object.entries(objectColumn(agent.custom_env)).filter((entry): entry is [string, string] => typeof entry[1] === "string");
  return {
    id: agent.id,
    name: agent.name,
    instructions: agent.instructions,
    custom_env: Object.fromEntries(env),
    custom_args: stringsColumn(agent.custom_args),
    runtime_config: objectColumn(agent.runtime_config),
    ...(mcp === undefined ? {} : { mcp_config: mcp }),
    ...text("model", agent.model),
    ...text("thinking_level", agent.thinking_level),
    ...text("service_tier", agent.service_tier),
  };
}

/** The person the run serves, and who caused it: a member, or an agent whose chain a member began. */
function people(tx: Tx, task: TaskRow) {
  const requester = userOf(tx, task.originator_user_id);
  return {
    ...text("requesting_user_name", requester?.name),
    ...text("requesting_user_profile_description", requester?.profile_description),
    ...text("initiator_type", task.initiator_type),
    ...text("initiator_id", task.initiator_id),
    ...initiatorName(tx, task),
  };
}

function initiatorName(tx: Tx, task: TaskRow) {
  if (task.initiator_type === "agent" && task.initiator_id !== null) {
    const agent = one<AgentRow>(tx.db, "SELECT * FROM agent WHERE id = :id", { id: task.initiator_id });
    return text("initiator_name", agent?.name);
  }
  const user = userOf(tx, task.initiator_id);
  return { ...text("initiator_name", user?.name), ...text("initiator_email", user?.email) };
}

function resume(tx: Tx, task: TaskRow) {
  const choice = resumeFor(tx.db, task);
  return {
    ...text("prior_session_id", choice.sessionId),
    ...text("prior_work_dir", choice.workDir),
    ...(choice.unavailable && choice.sessionId === null ? { prior_session_resume_unavailable: true } : {}),
  };
}

function issueFields(tx: Tx, task: TaskRow, issue: IssueRow | undefined, workspace: WorkspaceRow) {
  if (issue === undefined) return {};
  const identifier = issueIdentifier(workspace.issue_prefix, issue.number);
  const note = objectColumn(task.context)["handoff_note"];
  const parent = issueOf(tx, issue.parent_issue_id);
  return {
    thread_name: `${identifier} ${issue.title}`,
    ...text("handoff_note", typeof note === "string" ? note : undefined),
    ...(parent === undefined
      ? {}
      : { parent_issue_id: parent.id, parent_issue_identifier: issueIdentifier(workspace.issue_prefix, parent.number) }),
  };
}

function issueOf(tx: Tx, id: string | null): IssueRow | undefined {
  return id === null ? undefined : one<IssueRow>(tx.db, "SELECT * FROM issue WHERE id = :id", { id });
}

function userOf(tx: Tx, id: string | null): UserRow | undefined {
  return id === null ? undefined : one<UserRow>(tx.db, "SELECT * FROM user WHERE id = :id", { id });
}

function need<T>(row: T | undefined, what: string): T {
  if (row === undefined) throw new Error(`the task's ${what} is gone`);
  return row;
}

/** The key only when there is something to say. */
function text<K extends string>(key: K, value: string | null | undefined): Record<K, string> | Record<string, never> {
  return value === null || value === undefined || value === "" ? {} : ({ [key]: value } as Record<K, string>);
}

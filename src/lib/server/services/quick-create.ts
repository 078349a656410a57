import { isUuid } from "../../core/index.ts";
import { PRIORITIES, priorityNumber, type quickCreateSchema } from "../../wire/index.ts";
import type { z } from "zod";
import { one } from "../db/query.ts";
import { HttpError, badRequest, notFound } from "../http-error.ts";
import type { Scope } from "../http/scope.ts";
import { type RuntimeRow, type TaskRow, objectColumn } from "../rows/index.ts";
import type { Tx } from "../transaction.ts";
import { dateColumn, oneOf, projectColumn } from "./issue-input.ts";
import { findIssue } from "./issues.ts";
import { activeSquad } from "./squads/leading.ts";
import { loadAgent } from "./agents.ts";
import { type DetachedRefusal, enqueueDetached } from "./tasks/detached.ts";
import { VERSION_UNSUPPORTED, reachesVersion } from "./versions.ts";

type Input = z.infer<typeof quickCreateSchema>;

/** From these versions on daemons know quick creates, and ones with a priority or due date (server-api.md 4.1). */
const MIN_VERSION = "0.2.21";
const MIN_VERSION_DETAILS = "0.4.3";

const REASONS: Readonly<Record<DetachedRefusal, string>> = {
  target_unavailable: "the agent is archived",
  agent_runtime_required: "the agent has no runtime",
  runtime_offline: "the agent's runtime is offline",
  invocation_not_allowed: "you may not run this agent",
};

/** Has an agent turn a sentence into an issue; answers the task that does it (server-api.md 13.3.6). */
export function quickCreate(tx: Tx, scope: Scope, input: Input): TaskRow {
  const { workspace, actor } = scope;
  if (Boolean(input.agent_id) === Boolean(input.squad_id)) throw badRequest("exactly one of agent_id or squad_id is required");
  if (input.prompt.trim() === "") throw badRequest("prompt is required");
  const target = targetOf(tx, scope, input);
  const agent = loadAgent(tx.db, workspace.id, target.agentId);
  const details = detailsOf(tx, scope, input);
  requireVersion(tx, agent.runtime_id, details);
  const outcome = enqueueDetached(tx, {
    agentId: agent.id,
    workspaceId: workspace.id,
    actor,
    online: true,
    columns: {
      priority: priorityNumber(details.priority ?? "none"),
      squad_id: target.squadId ?? null,
      context: JSON.stringify({ quick_create: { prompt: input.prompt, ...details } }),
    },
  });
  if (outcome.kind === "queued") return outcome.task;
  const reason = REASONS[outcome.reason];
  if (outcome.reason === "invocation_not_allowed") throw new HttpError(403, reason, { extra: { reason_code: outcome.reason } });
  throw new HttpError(422, "the agent cannot run now", { code: "agent_unavailable", extra: { reason, reason_code: outcome.reason } });
}

function targetOf(tx: Tx, scope: Scope, input: Input): { agentId: string; squadId?: string } {
  const id = (input.agent_id || input.squad_id || "").toLowerCase();
  if (!isUuid(id)) throw badRequest(`invalid ${input.agent_id ? "agent_id" : "squad_id"}`);
  if (input.agent_id) return { agentId: id };
  const squad = activeSquad(tx.db, scope.workspace.id, id);
  if (squad === undefined) throw notFound("squad");
  return { agentId: squad.leader_id, squadId: squad.id };
}

interface Details {
  readonly priority?: string;
  readonly due_date?: string;
  readonly project_id?: string;
  readonly parent_issue_id?: string;
  readonly attachment_ids?: readonly string[];
}

function detailsOf(tx: Tx, scope: Scope, input: Input): Details {
  const due = dateColumn("due_date", input.due_date);
  const project = projectColumn(tx, scope.workspace.id, input.project_id);
  const parent = input.parent_issue_id ? findIssue(tx.db, scope.workspace, input.parent_issue_id) : undefined;
  if (input.parent_issue_id && parent === undefined) throw badRequest("parent issue not found in this workspace");
  return {
    ...(input.priority ? { priority: oneOf("priority", input.priority, PRIORITIES) } : {}),
    ...(due === null ? {} : { due_date: due }),
    ...(project === null ? {} : { project_id: project }),
    ...(parent === undefined ? {} : { parent_issue_id: parent.id }),
    ...((input.attachment_ids ?? []).length === 0 ? {} : { attachment_ids: checkedAttachments(tx, scope, input.attachment_ids ?? []) }),
  };
}

function checkedAttachments(tx: Tx, scope: Scope, ids: readonly string[]): string[] {
  return ids.map((id) => {
    const params = { id: id.toLowerCase(), workspaceId: scope.workspace.id };
    if (one(tx.db, "SELECT 1 FROM attachment WHERE id = :id AND workspace_id = :workspaceId", params) === undefined) {
      throw badRequest("one or more attachments not found");
    }
    return params.id;
  });
}

function requireVersion(tx: Tx, runtimeId: string | null, details: Details): void {
  const runtime = runtimeId === null ? undefined : one<RuntimeRow>(tx.db, "SELECT * FROM agent_runtime WHERE id = :runtimeId", { runtimeId });
  if (runtime === undefined) return;
  const value = objectColumn(runtime.metadata)["cli_version"];
  const current = typeof value === "string" ? value : "";
  const minimum = details.priority === undefined && details.due_date === undefined ? MIN_VERSION : MIN_VERSION_DETAILS;
  if (reachesVersion(current, minimum)) return;
  throw new HttpError(422, "the daemon of this agent is too old for quick create", {
    code: VERSION_UNSUPPORTED,
    extra: { current_version: current, min_version: minimum, runtime_id: runtime.id },
  });
}

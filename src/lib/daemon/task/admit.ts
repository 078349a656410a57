import { findProvider } from "../../agents/index.ts";
import type { Task, TaskAgent } from "../../wire/index.ts";
import { skillFacts } from "./facts.ts";
import { isLeader, workKind } from "./kind.ts";
import { type LocalAssignment, localAssignment } from "./local-assignment.ts";
import type { LaunchEntry, RuntimeEntry } from "../runtimes.ts";
import { SHUTDOWN_TEXT } from "./settle.ts";

export interface AdmitFacts {
  readonly shuttingDown: boolean;
  readonly daemonId: string;
  readonly runtime: RuntimeEntry | undefined;
  readonly launch: LaunchEntry | null;
}

/** What the later stages may rely on. */
export interface Job {
  readonly agent: TaskAgent;
  readonly issueId: string;
  readonly provider: string;
  readonly launch: LaunchEntry;
  /** The task's own token, never the daemon's. */
  readonly token: string;
  /** It leads a squad in this task (daemon.md 11.6). */
  readonly leader: boolean;
  /** The user's directory on this machine that it works in. */
  readonly local?: LocalAssignment;
}

export type Admission =
  | { readonly kind: "admitted"; readonly job: Job }
  | { readonly kind: "refused"; readonly reason: string; readonly error: string };

/** Reason of everything this build cannot do: the same word as for an agent that is too old. */
const UNSUPPORTED = "agent_error.runtime_version_unsupported";

/**
 * Decides whether a claimed task can be run here at all, before anything is created (daemon.md 11.1 and 11.4, steps 0–4
 * and 21). What this build does not do is refused by name: a task must never run as something it is not.
 */
export function admit(task: Task, facts: AdmitFacts): Admission {
  if (facts.shuttingDown) return refused("runtime_recovery", SHUTDOWN_TEXT);
  if (facts.runtime === undefined) return refused("runtime_offline", "runtime went offline before the task started");
  if (task.workspace_id.trim() === "") return refused("agent_error.unknown", "refusing to start an agent: the task has no workspace_id");
  const agent = task.agent;
  if (task.agent_id.trim() === "" || agent === null || agent === undefined || agent.id !== task.agent_id) {
    return refused("invalid_task_identity", "the task's agent_id and its agent do not name the same agent");
  }
  const assigned = localAssignment(task, facts.daemonId);
  if (assigned.kind === "wrong") return refused("local_directory_error", assigned.error);
  if (workKind(task) === "none") return refused("agent_error.unknown", "the task names no issue, comment or text to work on; it carries no work");
  const { runtime, launch } = facts;
  const unserved = agentNeeds(task, agent, launch?.provider ?? runtime.provider);
  if (unserved !== null) return unserved;
  if (launch === null) return refused("agent_error.runtime_missing_executable", `no agent configured for provider "${runtime.provider}"`);
  const token = task.auth_token ?? "";
  if (!token.startsWith("mat_")) {
    return refused("agent_error.unknown", "the task came without a task token; the daemon's own token is never given to an agent");
  }
  return { kind: "admitted", job: { agent, issueId: task.issue_id ?? "", provider: launch.provider, launch, token, leader: isLeader(task, agent), ...(assigned.kind === "local" ? { local: assigned.local } : {}) } };
}

function refused(reason: string, error: string): Admission {
  return { kind: "refused", reason, error };
}

function agentNeeds(task: Task, agent: TaskAgent, provider: string): Admission | null {
  if (!any(agent.skill_refs) && skillFacts(agent) === null) return refused("skill_bundle_unavailable", "a skill of the agent came without its name, content or files");
  const managed = agent.mcp_config !== undefined && agent.mcp_config !== null;
  if (managed && findProvider(provider)?.managedMcp !== true) return unsupported(`agents of ${provider} with a managed MCP configuration`);
  // Connected apps are reached through the managed servers; the other two would need a broker of ours.
  if ((any(task.connected_apps) && !managed) || any(task.remote_mcp_connections) || any(task.plugin_hook_tools)) return unsupported("connected apps and tools");
  return null;
}

function unsupported(what: string): Admission {
  return refused(UNSUPPORTED, `this task requires a newer version of the daemon: ${what} are not supported here`);
}

function any(list: readonly unknown[] | null | undefined): boolean {
  return (list ?? []).length > 0;
}

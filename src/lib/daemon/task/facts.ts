import { asString, isObject } from "../../core/index.ts";
import type { DisabledSkill, SkillFact, StatusFact, TaskContext } from "../../execenv/index.ts";
import type { Task, TaskAgent } from "../../wire/index.ts";
import { isLeader, workKind } from "./kind.ts";

const THREAD_NAME = 120;

/** The claim in the words of the environment: what the context files and the brief are written from (execenv.md 3). */
export function taskContext(task: Task, agent: TaskAgent, skills: readonly SkillFact[] = skillFacts(agent) ?? []): TaskContext {
  const kind = workKind(task);
  const userName = task.requesting_user_name ?? "";
  const hasProject = (task.project_id ?? "") !== "" || (task.project_resources ?? []).length > 0;
  return {
    issueId: text(task.issue_id),
    chatSessionId: kind === "chat" ? text(task.chat_session_id) : undefined,
    triggerCommentId: text(task.trigger_comment_id),
    handoffNote: text(task.handoff_note),
    quickCreatePrompt: kind === "quick_create" ? text(task.quick_create_prompt) : undefined,
    autopilot: kind === "autopilot" ? autopilot(task) : undefined,
    agentId: agent.id,
    agentName: agent.name,
    agentInstructions: text(agent.instructions),
    repos: (task.repos ?? []).map((repo) => ({ url: repo.url, description: text(repo.description), ref: text(repo.ref) })),
    project: hasProject ? project(task) : undefined,
    skills,
    squadLeader: isLeader(task, agent),
    statuses: { known: (task.issue_statuses ?? []).map(statusFact), omitted: task.issue_statuses_omitted ?? 0 },
    workspaceContext: text(task.workspace_context),
    requestingUser: { name: userName, profile: task.requesting_user_profile_description ?? "" },
  };
}

/** The agent's skills with their whole content; null when one of them came without what it takes to install it. */
export function skillFacts(agent: TaskAgent): SkillFact[] | null {
  const skills: SkillFact[] = [];
  for (const skill of agent.skills ?? []) {
    const files = skill["files"] ?? [];
    const name = asString(skill["name"]).trim();
    if (name === "" || typeof skill["content"] !== "string" || !Array.isArray(files)) return null;
    const facts = (files as unknown[]).map((file) => (isObject(file) && typeof file["path"] === "string" && typeof file["content"] === "string" ? { path: file["path"], content: file["content"] } : null));
    if (facts.includes(null)) return null;
    skills.push({ name, description: asString(skill["description"]), content: skill["content"], files: facts.filter((file) => file !== null) });
  }
  return skills;
}

function statusFact(status: Readonly<Record<string, unknown>>): StatusFact {
  return { key: asString(status["key"]), name: asString(status["name"]), category: asString(status["category"]), description: asString(status["description"]) };
}

function autopilot(task: Task): NonNullable<TaskContext["autopilot"]> {
  return {
    runId: task.autopilot_run_id ?? "",
    id: text(task.autopilot_id),
    title: text(task.autopilot_title),
    description: text(task.autopilot_description),
    source: text(task.autopilot_source),
    payload: task.autopilot_trigger_payload,
  };
}

function project(task: Task): NonNullable<TaskContext["project"]> {
  return {
    id: text(task.project_id),
    title: text(task.project_title),
    description: text(task.project_description),
    resources: (task.project_resources ?? []).map((resource) => ({
      id: resource.id ?? "",
      type: resource.resource_type,
      ref: resource.resource_ref,
      label: text(resource.label),
    })),
  };
}

/** Skills of this provider's program that the agent's owner switched off; entries that say nothing usable are left out. */
export function disabledSkills(agent: TaskAgent, provider: string): DisabledSkill[] {
  return (agent.disabled_runtime_skills ?? []).flatMap((skill) => {
    const { root } = skill;
    const key = asString(skill.key);
    const here = asString(skill.provider) === "" || skill.provider === provider;
    return here && key !== "" && (root === "provider" || root === "universal") ? [{ root, key }] : [];
  });
}

/** The agent's skills as a message may point to them: the references when the claim has those. */
export function ownSkills(agent: TaskAgent): { id: string; name: string }[] {
  const refs = agent.skill_refs ?? [];
  return (refs.length > 0 ? refs : (agent.skills ?? [])).map((skill) => ({ id: asString(skill["id"]), name: asString(skill["name"]) }));
}

/** A title for the agent's own list of conversations: one line, at most 120 characters (daemon.md 11.10). */
export function threadName(task: Task): string {
  const candidates = [task.thread_name, task.autopilot_title, task.quick_create_prompt, task.chat_message, task.trigger_comment_content];
  const name = candidates.map((candidate) => (candidate ?? "").replace(/\s+/g, " ").trim()).find((candidate) => candidate !== "") ?? "";
  const characters = [...name];
  return characters.length <= THREAD_NAME ? name : `${characters.slice(0, THREAD_NAME - 3).join("")}...`;
}

function text(value: string | null | undefined): string | undefined {
  return value === null || value === undefined || value === "" ? undefined : value;
}

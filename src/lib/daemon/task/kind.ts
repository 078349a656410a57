import type { Task, TaskAgent } from "../../wire/index.ts";

/** What a claimed task asks for; `none`: nothing, it carries no work. */
export type WorkKind = "chat" | "comment" | "autopilot" | "quick_create" | "assignment" | "none";

/** The kind by the fields that are there, first hit; the word the server sends is for people (server-api.md 5.5). */
export function workKind(task: Task): WorkKind {
  if (hasText(task.chat_session_id)) return "chat";
  if (hasText(task.trigger_comment_id) && hasText(task.issue_id)) return "comment";
  if (hasText(task.autopilot_run_id)) return "autopilot";
  if (hasText(task.quick_create_prompt)) return "quick_create";
  return hasText(task.issue_id) ? "assignment" : "none";
}

/** The server's word where it gave one; before that, the briefing it puts into a leader's instructions (daemon.md 11.6). */
export function isLeader(task: Task, agent: TaskAgent): boolean {
  if (task.leader_role_resolved === true) return task.is_leader_task === true || hasText(task.squad_id);
  return (agent.instructions ?? "").split(/\r?\n/).some((line) => line.trim() === "## Squad Operating Protocol");
}

export function hasText(text: string | null | undefined): text is string {
  return (text ?? "").trim() !== "";
}

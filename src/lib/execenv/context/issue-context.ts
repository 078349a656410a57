import { fencedText, quoteText } from "../../core/index.ts";
import { type AutopilotFact, type TaskContext, filled, taskKind } from "../types.ts";

/** The text of `.agent_context/issue_context.md`: what started this run, for an agent that looks for it (execenv.md 8.3). */
export function renderIssueContext(task: TaskContext): string {
  const kind = taskKind(task);
  if (kind === "autopilot" && task.autopilot !== undefined) return join(autopilotLines(task.autopilot));
  if (kind === "quick_create") return join(quickCreateLines(task.quickCreatePrompt ?? ""));
  return join(issueLines(task));
}

function issueLines(task: TaskContext): string[] {
  const lines = ["# This task", ""];
  if (filled(task.issueId)) lines.push(`- Issue: ${task.issueId}`);
  if (filled(task.chatSessionId)) lines.push(`- Chat session: ${task.chatSessionId}`);
  if (filled(task.chatSessionId)) lines.push("- Started by: a message in that chat");
  else lines.push(filled(task.triggerCommentId) ? `- Started by: comment ${task.triggerCommentId}` : "- Started by: a new assignment");
  if (filled(task.handoffNote)) lines.push("", "The assigner narrowed the scope:", "", quoteText(task.handoffNote));
  if (filled(task.issueId)) lines.push("", "Read the issue first:", "", fencedText(`multica issue get ${task.issueId} --output json`, "sh"));
  return lines;
}

function quickCreateLines(prompt: string): string[] {
  return ["# This task", "", "- Started by: a quick-create request", "", "The request:", "", quoteText(prompt)];
}

function autopilotLines(autopilot: AutopilotFact): string[] {
  const lines = ["# This task", "", `- Started by: autopilot run ${autopilot.runId} (there is no assigned issue)`];
  if (filled(autopilot.id)) lines.push(`- Autopilot: ${autopilot.id}`);
  if (filled(autopilot.title)) lines.push(`- Title: ${autopilot.title}`);
  if (filled(autopilot.source)) lines.push(`- Source: ${autopilot.source}`);
  if (autopilot.payload !== undefined && autopilot.payload !== null) {
    const text = typeof autopilot.payload === "string" ? autopilot.payload.trim() : JSON.stringify(autopilot.payload, null, 2);
    lines.push("", "What triggered it:", "", fencedText(text, "json"));
  }
  if (filled(autopilot.id)) lines.push("", "Its configuration:", "", fencedText(`multica autopilot get ${autopilot.id} --output json`, "sh"));
  if (filled(autopilot.description)) lines.push("", "Instructions:", "", autopilot.description.trimEnd());
  return lines;
}

function join(lines: readonly string[]): string {
  return `${lines.join("\n")}\n`;
}

import { safeName } from "../../../core/index.ts";
import type { Task } from "../../../wire/index.ts";
import { safeEmail, safeToken } from "./text.ts";

/**
 * What is true of this run only, in the order of daemon.md 12.8. Appended to the prompt, never put before it:
 * a resumed conversation keeps the same beginning, which prompt caches need.
 */
export function runBlocks(task: Task, facts: { readonly resumeUnavailable: boolean }): string[] {
  const blocks = [siblingRuns(task), facts.resumeUnavailable ? continuityNotice() : null, initiator(task)];
  return blocks.filter((block) => block !== null);
}

function siblingRuns(task: Task): string | null {
  const runs = (task.active_sibling_runs ?? []).filter((run) => safeToken(run.task_id) !== "");
  if (runs.length === 0) return null;
  const lines = runs.map((run) => {
    const name = safeName(run.issue_identifier) || safeToken(run.issue_id);
    const since = safeToken(run.started_at) || safeToken(run.created_at);
    const title = safeName(run.issue_title);
    return `- ${name}${title === "" ? "" : ` "${title}"`}: task ${run.task_id}, ${safeName(run.status)}, since ${since}; \`multica issue run-messages ${run.task_id}\``;
  });
  return [
    "## Other runs of yours",
    "You are also at work elsewhere right now. Before you touch something one of these runs may have claimed, look at what it is doing:",
    lines.join("\n"),
    "A write that only records who owns something takes `--no-start`, so that it starts no further run.",
  ].join("\n\n");
}

function continuityNotice(): string {
  return [
    "## Earlier session not available",
    "You have worked on this before, but that session could not be restored. Only your working memory is lost: the comments of the issue " +
      "are the authoritative record, read them there. Do not open your reply with this.",
  ].join("\n\n");
}

function initiator(task: Task): string | null {
  const name = safeName(task.initiator_name);
  if (name === "") return null;
  const email = safeEmail(task.initiator_email);
  const who = task.initiator_type === "agent" ? `The agent ${name}` : `${name}${email === "" ? "" : ` (${email})`}, a member of the workspace,`;
  return `## Task Initiator\n\n${who} caused this run and is the one you answer. The credentials you work with still belong to their owner.`;
}

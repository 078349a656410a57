import { type TaskContext, type TaskKind, filled } from "../types.ts";
import { payloadBlock } from "./sections.ts";

/** How to work and what to leave behind, per kind of task (execenv.md 10.5). */
export function workflowSection(kind: TaskKind, task: TaskContext): string {
  if (kind === "chat") return CHAT;
  if (kind === "quick_create") return QUICK_CREATE;
  if (kind === "autopilot") return autopilot(task);
  return issue(task);
}

function issue(task: TaskContext): string {
  const id = filled(task.issueId) ? task.issueId : "<issue>";
  const steps = [
    `Read the issue: \`multica issue get ${id} --output json\`. Its metadata (\`multica issue metadata list ${id}\`) are hints of earlier runs, not facts.`,
    "Catch up on the discussion, always, but bounded: scan the thread roots, then open the threads that matter.",
    `When the request asks for work on this issue, set it to in progress before you begin: \`multica issue status ${id} in_progress\`.`,
    "Do the work, within what your owner's instructions allow. Code is changed in a checkout and committed there.",
    "Post the result as one comment: under the comment that started this turn, otherwise at the top level. Say what came of it, not how you went about it.",
    "Before you stop, look at the status and set it to what is true now (see below).",
  ];
  const lines = [
    "## How to work on the issue",
    "",
    ...steps.map((step, index) => `${index + 1}. ${step}`),
    "",
    "Status follows facts: delivered → `in_review`; more of your work is coming → `in_progress`; you cannot go on → `blocked`, with a comment that says what is missing;",
    "nothing of the issue's own work was done (you only answered a question) → leave it alone. `done` is for people.",
    "",
    "Sub-issues: `todo` starts at once, `backlog` waits, stages order groups.",
    "Metadata: write rarely, short values, no secrets and no logs; delete keys that stopped being true.",
  ];
  if (task.squadLeader === true) lines.push("", LEADER);
  lines.push("", "The comment is the only thing people see of this task: exactly one a turn, unless the turn's message says otherwise.");
  return lines.join("\n");
}

const LEADER =
  "You lead a squad here. Handing work out is not delivering it: do not set `in_review` for it. " +
  "When nothing needs to be done, record that with `multica squad activity <issue> no_action` and post no comment.";

function autopilot(task: TaskContext): string {
  const run = task.autopilot;
  const lines = ["## How to work on this autopilot run", "", "Nobody assigned an issue. Follow the instructions below; use issue commands only where they ask for it.", ""];
  if (run !== undefined) {
    lines.push(`- Run: ${run.runId}`);
    if (filled(run.id)) lines.push(`- Autopilot: ${run.id} (\`multica autopilot get ${run.id} --output json\`)`);
    if (filled(run.title)) lines.push(`- Title: ${run.title}`);
    if (filled(run.source)) lines.push(`- Source: ${run.source}`);
    const payload = payloadBlock(run.payload);
    if (payload !== undefined) lines.push("", "What triggered it:", "", payload);
    if (filled(run.description)) lines.push("", "Instructions:", "", run.description.trimEnd());
  }
  lines.push("", "Your last text is the result of the run.");
  return lines.join("\n");
}

const CHAT = [
  "## How to answer",
  "",
  "This is a conversation: your reply goes to the person's window, so write it for them and give the outcome, not your plans.",
  "All commands above are yours when the question needs them; look at code through a checkout.",
].join("\n");

const QUICK_CREATE = [
  "## How to create the issue",
  "",
  "Turn the request into exactly one issue and stop. No other issue command belongs here: no reading, no status, no comment.",
  "Print one line at the end: `Created <identifier>: <title>` (the `id` when there is no `identifier`). If the command failed, print its error and nothing else.",
].join("\n");

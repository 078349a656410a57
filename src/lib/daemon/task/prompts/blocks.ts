import { asString, safeName } from "../../../core/index.ts";
import type { Task } from "../../../wire/index.ts";
import { workKind } from "../kind.ts";
import { chatReader } from "./channel.ts";
import { safeCode, safeEmail, safeToken } from "./text.ts";

/**
 * What is true of this run only, in the order of daemon.md 12.8. Appended to the prompt, never put before it:
 * a resumed conversation keeps the same beginning, which prompt caches need.
 */
export function runBlocks(task: Task, facts: { readonly resumeUnavailable: boolean; readonly sharedDirectory: boolean }): string[] {
  const blocks = [
    siblingRuns(task),
    facts.sharedDirectory && workKind(task) === "chat" ? sharedDirectory() : null,
    facts.resumeUnavailable ? `## Earlier session not available\n\n${continuityText(task)}` : null,
    initiator(task),
    connectedApps(task),
  ];
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

function sharedDirectory(): string {
  return [
    "## A directory you share",
    "You work in the user's own checkout, not in a copy, and another task may be editing it right now. Read what you like; " +
      "write little and only what is asked for, and say what you changed.",
  ].join("\n\n");
}

/** What an agent has to know when its earlier session is lost, by where the conversation can still be read. */
export function continuityText(task: Task): string {
  return (
    "You have been part of this conversation before, but that session could not be restored. Only your working memory is lost: " +
    `${stillReadable(task)} Do not open your reply with this.`
  );
}

function stillReadable(task: Task): string {
  if (workKind(task) !== "chat") return "the comments of the issue are the authoritative record, read them there.";
  switch (chatReader(task)) {
    case "threads":
      return "the conversation is still there, read it with `multica chat history --output json` and `multica chat thread <id> --output json`.";
    case "transcript":
      return "the transcript is still there, read it with `multica chat history --output json`.";
    default:
      return "earlier messages cannot be fetched, so tell the person in one sentence what you no longer know, where it matters.";
  }
}

function initiator(task: Task): string | null {
  const name = safeName(task.initiator_name);
  if (name === "") return null;
  const email = safeEmail(task.initiator_email);
  const who = task.initiator_type === "agent" ? `The agent ${name}` : `${name}${email === "" ? "" : ` (${email})`}, a member of the workspace,`;
  return `## Task Initiator\n\n${who} caused this run and is the one you answer. The credentials you work with still belong to their owner.`;
}

/** Entries that could carry text or markup are left out: their names come from outside. */
function connectedApps(task: Task): string | null {
  const apps = (task.connected_apps ?? []).flatMap((app) => {
    const [slug, server] = [safeCode(app["toolkit_slug"]), safeCode(app["server_name"])];
    if (slug === "" || server === "") return [];
    const name = safeName(asString(app["toolkit_name"])) || slug;
    return [`- ${name} (\`${slug}\`): MCP server \`${server}\``];
  });
  if (apps.length === 0) return null;
  return ["## Connected apps", "These services are connected for this run; their tools come from the MCP servers named here:", apps.join("\n")].join("\n\n");
}

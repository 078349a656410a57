import { quoteText, safeName } from "../../../core/index.ts";
import type { Task } from "../../../wire/index.ts";
import { leaderRule } from "./leader.ts";
import { mergedComments } from "./merged.ts";
import { replyInstructions } from "./replies.ts";
import { safeToken } from "./text.ts";

/**
 * The turn of an agent that a comment woke up. `resumed` tells whether the agent still remembers the conversation:
 * it decides how much has to be read again (daemon.md 12.3).
 */
export function commentPrompt(task: Task, facts: { readonly resumed: boolean; readonly leader: boolean }): string {
  const issue = task.issue_id ?? "";
  const merged = mergedComments(task);
  const parts = [`You are a local coding agent of a Multica workspace. Your work is the issue ${issue}.`];
  const content = task.trigger_comment_content ?? "";
  if (content.trim() !== "") {
    parts.push(
      `[NEW COMMENT] ${author(task)} has just written comment ${task.trigger_comment_id ?? ""}. This is the one you are asked to act on, not an earlier one:`,
      quoteText(content),
    );
  }
  if (merged !== null) parts.push(merged);
  if (facts.leader) parts.push(leaderRule(task));
  else if (task.trigger_author_type === "agent") {
    parts.push(
      "The author is an agent. Reply only if you did work or owe it a result; never write just to say that no reply is needed. " +
        "Do not mention it to sign off: a mention starts a new run.",
    );
  }
  parts.push(
    `Begin with \`multica issue get ${issue} --output json\`, then decide what the comment asks for.`,
    readingHint(task, facts.resumed),
    replyInstructions(task, facts.leader),
  );
  return parts.join("\n\n");
}

function author(task: Task): string {
  const name = safeName(task.trigger_author_name);
  switch (task.trigger_author_type) {
    case "agent":
      return name === "" ? "Another agent" : `Another agent, ${name},`;
    case "system":
      return "The platform";
    default:
      return name === "" ? "A user" : `A user, ${name},`;
  }
}

function readingHint(task: Task, resumed: boolean): string {
  const issue = task.issue_id ?? "";
  const list = `multica issue comment list ${issue}`;
  const thread = task.trigger_thread_id || (task.trigger_comment_id ?? "");
  const count = task.new_comment_count ?? 0;
  const since = safeToken(task.new_comments_since);
  if (count > 0 && since !== "") {
    const news = count === 1 ? "There is 1 new comment" : `There are ${count} new comments`;
    return (
      `${news} since your last run here. Read your own thread first: \`${list} --thread ${thread} --since ${since} --output json\`; ` +
      `the whole issue only if you need it: \`${list} --since ${since} --output json\`.`
    );
  }
  if (resumed) {
    return (
      "You are continuing your earlier session; the comment above is included here and nothing else is new. " +
      `If the course of the thread matters, read it instead of trusting your memory: \`${list} --thread ${thread} --tail 30 --output json\`.`
    );
  }
  if (thread !== "") {
    return (
      `You have not seen this conversation. Read its thread first: \`${list} --thread ${thread} --tail 30 --output json\`; ` +
      `other threads through \`${list} --roots-only --summary --output json\`.`
    );
  }
  return `Scan the comments with \`${list} --roots-only --summary --output json\` and open the threads that matter.`;
}

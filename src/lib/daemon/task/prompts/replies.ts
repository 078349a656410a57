import type { Task } from "../../../wire/index.ts";
import { safeToken } from "./text.ts";

export interface ReplyTarget {
  readonly thread: string;
  /** The comment a reply is attached to. */
  readonly parent: string;
}

/**
 * Where this run owes a reply: one target a thread, the oldest thread first, the trigger's last; the parent is the
 * newest comment of the thread that the run answers for (daemon.md 12.3, items 8 and 9).
 */
export function replyTargets(task: Task): ReplyTarget[] {
  const trigger = task.trigger_comment_id ?? "";
  const own = task.trigger_thread_id || trigger;
  const parents = new Map<string, string>();
  for (const comment of task.coalesced_comments ?? []) {
    const id = safeToken(comment.id);
    const thread = safeToken(comment.thread_id) || id;
    // The list is oldest first: a later comment of the same thread replaces the parent and keeps the thread's place.
    if (id !== "" && thread !== own) parents.set(thread, id);
  }
  return [...[...parents].map(([thread, parent]) => ({ thread, parent })), { thread: own, parent: trigger }];
}

/** How the answer is posted: a body file, this turn's parent, once a thread. */
export function replyInstructions(task: Task, leader: boolean): string {
  const issue = task.issue_id ?? "";
  const targets = replyTargets(task);
  const rules =
    "Write each body to a UTF-8 file in your working directory with real line breaks (no literal `\\n`), never inline and never through stdin, " +
    "and remove the file afterwards. Use the parent given here; a parent from an earlier turn is wrong.";
  const unless = leader ? ", unless you recorded no_action" : "";
  if (targets.length === 1) {
    return `To reply${unless}:\n\n    multica issue comment add ${issue} --parent ${task.trigger_comment_id ?? ""} --content-file ./reply.md\n\n${rules}`;
  }
  const commands = targets.map(
    (target, index) => `    multica issue comment add ${issue} --parent ${target.parent} --content-file ./reply-${index + 1}.md`,
  );
  return [
    `The comments of this run stand in ${targets.length} threads. Post one reply in each of them, in this order${unless}; this replaces the rule of one comment a run:`,
    commands.join("\n"),
    `Give every reply its own file, as above. ${rules}`,
  ].join("\n\n");
}

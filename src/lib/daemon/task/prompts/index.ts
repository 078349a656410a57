import { MulticaError } from "../../../core/index.ts";
import type { Task } from "../../../wire/index.ts";
import { assignmentPrompt } from "./assignment.ts";
import { runBlocks } from "./blocks.ts";
import { commentPrompt } from "./comment.ts";

export interface PromptFacts {
  /** The agent continues the session of an earlier run. */
  readonly resumed: boolean;
  /** There was an earlier session, and it cannot be continued. */
  readonly resumeUnavailable: boolean;
}

/**
 * The user message of one turn: a body that is the same for every run of a conversation, then the blocks of this run
 * (daemon.md 12). Throws `task_without_work` for a task that names nothing to do: an agent must not start without a job.
 */
export function buildPrompt(task: Task, facts: PromptFacts): string {
  if ((task.issue_id ?? "") === "") {
    throw new MulticaError("task_without_work", "the task names no issue, comment or text to work on; it carries no work");
  }
  const body = (task.trigger_comment_id ?? "") === "" ? assignmentPrompt(task) : commentPrompt(task, facts);
  return [body, ...runBlocks(task, facts)].join("\n\n");
}

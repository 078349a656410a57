import { MulticaError } from "../../../core/index.ts";
import type { Task } from "../../../wire/index.ts";
import { type WorkKind, workKind } from "../kind.ts";
import { assignmentPrompt } from "./assignment.ts";
import { autopilotPrompt } from "./autopilot.ts";
import { runBlocks } from "./blocks.ts";
import { type OwnSkill, chatPrompt } from "./chat.ts";
import { commentPrompt } from "./comment.ts";
import { type Self, quickCreatePrompt } from "./quick-create.ts";

export interface PromptFacts {
  /** The agent continues the session of an earlier run. */
  readonly resumed: boolean;
  /** There was an earlier session, and it cannot be continued. */
  readonly resumeUnavailable: boolean;
  /** The agent leads a squad in this task. */
  readonly leader: boolean;
  readonly self: Self;
  readonly skills: readonly OwnSkill[];
  /** The work happens in a user's own directory, where others may be at work too. */
  readonly sharedDirectory: boolean;
}

/**
 * The user message of one turn: a body that is the same for every run of a conversation, then the blocks of this run
 * (daemon.md 12). Throws `task_without_work` for a task that names nothing to do: an agent must not start without a job.
 */
export function buildPrompt(task: Task, facts: PromptFacts): string {
  return [bodyOf(workKind(task), task, facts), ...runBlocks(task, facts)].join("\n\n");
}

function bodyOf(kind: WorkKind, task: Task, facts: PromptFacts): string {
  switch (kind) {
    case "chat":
      return chatPrompt(task, facts.skills);
    case "comment":
      return commentPrompt(task, facts);
    case "autopilot":
      return autopilotPrompt(task);
    case "quick_create":
      return quickCreatePrompt(task, facts.self);
    case "assignment":
      return assignmentPrompt(task, facts);
    case "none":
      throw new MulticaError("task_without_work", "the task names no issue, comment or text to work on; it carries no work");
  }
}

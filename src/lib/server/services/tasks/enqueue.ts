// What user routes call when something happened that may start, change or end runs.
export { cancelTasksOfAgent, cancelTasksOfAutopilot, cancelTasksOfChat, cancelTasksOfIssue, cancelTasksOfRuntime } from "./cancel.ts";
export { type TriggerOutcome, onCommentChanged, onCommentCreated } from "./comment-triggers.ts";
export { type UpdateOptions, onIssueCreated, onIssueUpdated } from "./issue-triggers.ts";

// What user routes call when something happened that may start, change or end runs.
export { cancelTasksOfAgent, cancelTasksOfIssue } from "./cancel.ts";
export { type CommentOptions, type TriggerOutcome, onCommentChanged, onCommentCreated, routedAgents } from "./comment-triggers.ts";
export { type UpdateOptions, onIssueCreated, onIssueUpdated, postSystemComment } from "./issue-triggers.ts";
export { type EnqueueInput, enqueueForIssue } from "./queue.ts";

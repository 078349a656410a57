import type { Task } from "../../../wire/index.ts";

/** What a squad's leader does when there is nothing to do (daemon.md 12.3, item 4). */
export function leaderRule(task: Task): string {
  return (
    "You lead a squad here. When this needs no action, record that with " +
    `\`multica squad activity ${task.issue_id ?? ""} no_action --reason "…"\` and end: post **no comment at all**, not even one that says so.`
  );
}

import { quoteText } from "../../../core/index.ts";
import type { Task } from "../../../wire/index.ts";
import { leaderRule } from "./leader.ts";

/** The turn of an agent that was given an issue: what to read first, and the assigner's note (daemon.md 12.2). */
export function assignmentPrompt(task: Task, facts: { readonly leader: boolean }): string {
  const id = task.issue_id ?? "";
  const parts = [`You are a local coding agent of a Multica workspace. Your work is the issue ${id}.`];
  const note = (task.handoff_note ?? "").trim();
  if (note !== "") {
    parts.push(
      "Whoever assigned the issue left the note below. It is the scope of this run: follow it before anything broader the issue says. " +
        "It is an instruction, not a comment, so do not reply to it.",
      quoteText(note),
    );
  }
  if (facts.leader) parts.push(leaderRule(task));
  parts.push(
    `Begin with \`multica issue get ${id} --output json\`, then do what the issue asks for.`,
    [
      "Reading the comments is not optional here, because they may have changed the task:",
      `- scan them: \`multica issue comment list ${id} --roots-only --summary --compact --output json\``,
      `- open what matters: \`multica issue comment list ${id} --thread <thread> --tail 30 --output json\``,
      "- everything else the command can do: `multica issue comment list --help`",
    ].join("\n"),
  );
  return parts.join("\n\n");
}

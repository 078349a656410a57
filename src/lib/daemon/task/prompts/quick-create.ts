import { quoteText, safeName } from "../../../core/index.ts";
import type { Task } from "../../../wire/index.ts";
import { hasText } from "../kind.ts";
import { safeToken } from "./text.ts";

/** Who the agent is: it takes the issue when the request names nobody. */
export interface Self {
  readonly id: string;
  readonly name: string;
}

/** A few words that are to become exactly one issue (daemon.md 12.6). */
export function quickCreatePrompt(task: Task, self: Self): string {
  return [
    "You are a local coding agent of a Multica workspace. Somebody typed the request below; no issue exists for it yet. Turn it into one.",
    quoteText(task.quick_create_prompt ?? ""),
    "Run `multica issue create --title \"…\" --output json` with the options below **exactly once**. Never run it again, whatever its exit status: the issue may exist already.",
    ["The fields:", "", ...fields(task, self).map((field) => `- ${field}`)].join("\n"),
    "At the end read `identifier`, or `id` when there is none, from the JSON it printed (take it as it is, whatever its prefix looks like) and print exactly one line:",
    "    Created <identifier-or-id>: <title>",
    "If the command failed, print its error and nothing else. No `multica issue get`, no comment.",
  ].join("\n\n");
}

function fields(task: Task, self: Self): string[] {
  const parent = safeToken(task.parent_issue_id);
  const known = safeName(task.parent_issue_identifier);
  return [
    "title: short and telling. You may look at what the request cites to find a better one.",
    "description: what the request says, faithfully, its technical terms word for word, without phrases that only route it (\"create an issue\", " +
      "\"assign to X\"). After that a section with context, but only with facts from things you fetched. Invent no requirements and do not repeat the title. " +
      "\"cc @Y\" becomes a last line `CC: <mention link>`. More than one plain line goes through `--description-file ./description.md` in your working directory.",
    priority(task),
    assignee(task, self),
    pinned("due date", "--due-date", task.quick_create_due_date) ?? "due date: only when the request names one.",
    pinned("project", "--project", task.project_id) ?? "project: leave it out.",
    parent === "" ? "parent: none." : `parent: \`--parent ${parent}\`${known === "" ? "" : ` (${known})`}.`,
    "status: leave it out.",
    "attachments: local paths only, with `--attachment`; the address of an image stays in the text.",
  ];
}

function priority(task: Task): string {
  return (
    pinned("priority", "--priority", task.quick_create_priority) ??
    "priority: only when the request speaks of it (P0 or \"asap\" is urgent, P1 is high, and so on); otherwise leave it out."
  );
}

function assignee(task: Task, self: Self): string {
  const squad = safeToken(task.squad_id);
  const own = safeToken(self.id);
  const fallback = squad !== "" ? `\`--assignee-id ${squad}\` (the squad)` : own !== "" ? `\`--assignee-id ${own}\` (you)` : `\`--assignee ${JSON.stringify(self.name)}\` (you)`;
  return (
    "assignee: when the request names somebody or routes to them with @, look them up with `multica workspace member list`, `multica agent list` and " +
    "`multica squad list` (each with `--output json`). One clear match is `--assignee-id <id>`; none or several is no option at all and a last line of " +
    `the description \`Unrecognized assignee: X\`. When nobody is named: ${fallback}. It is never unassigned for want of a name.`
  );
}

/** A value that the person chose in the form: it is passed on, not judged. */
function pinned(what: string, option: string, value: string | null | undefined): string | null {
  const token = safeToken(value);
  return hasText(value) && token !== "" ? `${what}: \`${option} ${token}\`, exactly.` : null;
}

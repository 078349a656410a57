import type { AutopilotInput } from "../lib/wire/index.ts";
import { csvValues } from "./csv.ts";
import { notBlank } from "./families.ts";
import { listFlag, textFlag } from "./flags.ts";
import { listPeople } from "./people-lists.ts";
import { resolveAgent, resolveProject } from "./resolve-objects.ts";
import { choosePerson } from "./resolve.ts";
import type { Session } from "./session.ts";

/** The flags that `autopilot create` and `autopilot update` share (cli.md 5.15). */
export const autopilotFieldFlags = {
  description: textFlag("what its runs are told", { helpValue: "<text>" }),
  priority: textFlag("priority of its issues", { options: ["urgent", "high", "medium", "low", "none"] }),
  project: textFlag("project of its issues; empty clears", { helpValue: "<project>" }),
  "issue-title-template": textFlag("title of its issues", { helpValue: "<text>" }),
  subscriber: listFlag("member who is told of its issues; repeatable", "<name>"),
};

export const MODES = ["create_issue", "run_only"];

export interface AutopilotFieldValues {
  readonly title?: string | undefined;
  readonly agent?: string | undefined;
  readonly mode?: string | undefined;
  readonly description?: string | undefined;
  readonly priority?: string | undefined;
  readonly project?: string | undefined;
  readonly "issue-title-template"?: string | undefined;
  readonly subscriber?: string[] | undefined;
}

/** What can be said of the flags without a request. */
export function checkAutopilotFields(flags: AutopilotFieldValues): void {
  if (flags.title !== undefined) notBlank("--title", flags.title);
  if (flags.agent !== undefined) notBlank("--agent", flags.agent);
}

/** The body for the flags that were given. */
export async function autopilotFields(session: Session, flags: AutopilotFieldValues): Promise<AutopilotInput> {
  const body: AutopilotInput = {};
  if (flags.title !== undefined) body.title = flags.title.trim();
  if (flags.agent !== undefined) Object.assign(body, { assignee_type: "agent", assignee_id: await resolveAgent(session, flags.agent) });
  if (flags.mode !== undefined) body.execution_mode = flags.mode;
  if (flags.description !== undefined) body.description = flags.description;
  if (flags.priority !== undefined) body.priority = flags.priority;
  if (flags.project !== undefined) body.project_id = flags.project === "" ? null : await resolveProject(session, flags.project);
  if (flags["issue-title-template"] !== undefined) body.issue_title_template = flags["issue-title-template"];
  if (flags.subscriber !== undefined) body.subscribers = await subscribers(session, flags.subscriber);
  return body;
}

async function subscribers(session: Session, names: readonly string[]): Promise<{ user_type: string; user_id: string }[]> {
  const members = await listPeople(session, ["member"]);
  return csvValues("subscriber", names).map((name) => ({ user_type: "member", user_id: choosePerson(members, name).id }));
}

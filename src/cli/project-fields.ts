import { PROJECT_STATUSES } from "../lib/wire/project-statuses.ts";
import type { ProjectInput } from "../lib/wire/index.ts";
import { notBlank } from "./families.ts";
import { textFlag } from "./flags.ts";
import { checkPersonFlags, findOnePerson, type PersonFlags } from "./people.ts";
import type { Session } from "./session.ts";

/** The flags that `project create` and `project update` share (cli.md 5.9). */
export const projectFieldFlags = {
  description: textFlag("what it is about", { helpValue: "<text>" }),
  status: textFlag("status", { options: [...PROJECT_STATUSES] }),
  icon: textFlag("an emoji", { helpValue: "<icon>" }),
  lead: textFlag("member or agent who leads it, by name", { helpValue: "<name>" }),
  "start-date": textFlag("first day; empty clears", { helpValue: "<YYYY-MM-DD>" }),
  "due-date": textFlag("last day; empty clears", { helpValue: "<YYYY-MM-DD>" }),
};

export interface ProjectFieldValues {
  readonly title?: string | undefined;
  readonly description?: string | undefined;
  readonly status?: string | undefined;
  readonly icon?: string | undefined;
  readonly lead?: string | undefined;
  readonly "start-date"?: string | undefined;
  readonly "due-date"?: string | undefined;
}

/** What can be said of the flags without a request. */
export function checkProjectFields(flags: ProjectFieldValues): void {
  if (flags.title !== undefined) notBlank("--title", flags.title);
  checkPersonFlags(leadOf(flags));
}

/** The body for the flags that were given. */
export async function projectFields(session: Session, flags: ProjectFieldValues): Promise<ProjectInput> {
  const lead = await findOnePerson(session, leadOf(flags));
  return {
    ...(flags.title === undefined ? {} : { title: flags.title.trim() }),
    ...(flags.description === undefined ? {} : { description: flags.description }),
    ...(flags.status === undefined ? {} : { status: flags.status }),
    ...(flags.icon === undefined ? {} : { icon: flags.icon }),
    ...(lead === undefined ? {} : { lead_type: lead.kind, lead_id: lead.id }),
    ...(flags["start-date"] === undefined ? {} : { start_date: flags["start-date"] || null }),
    ...(flags["due-date"] === undefined ? {} : { due_date: flags["due-date"] || null }),
  };
}

function leadOf(flags: ProjectFieldValues): PersonFlags {
  return { name: flags.lead, id: undefined, flags: ["--lead", "--lead-id"], kinds: ["member", "agent"] };
}

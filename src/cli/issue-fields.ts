import type { IssueInput } from "../lib/wire/issues.ts";
import { switchFlag, textFlag } from "./flags.ts";
import { listPeople } from "./people-lists.ts";
import { checkIssueRef, choosePerson, type Person, personById, resolveIssue, usage } from "./resolve.ts";
import type { Session } from "./session.ts";

/** The flags that `issue create` and `issue update` share; texts here are local rules, no request is made for them. */
export const issueFieldFlags = {
  description: textFlag("description; \\n is decoded, prefer --description-file, a value with a leading dash needs =", { helpValue: "<text>" }),
  "description-file": textFlag("read the description from a file below the current directory", { helpValue: "<path>" }),
  "description-stdin": switchFlag("read the description from standard input"),
  "allow-external-file": switchFlag("let paths of files point outside the current directory"),
  status: textFlag("status, such as todo or in_progress", { helpValue: "<status>" }),
  priority: textFlag("priority", { options: ["urgent", "high", "medium", "low", "none"] }),
  assignee: textFlag("member, agent or squad by name", { helpValue: "<name>" }),
  "assignee-id": textFlag("member, agent or squad by UUID", { helpValue: "<uuid>" }),
  parent: textFlag("parent issue; empty clears", { helpValue: "<issue>" }),
  stage: textFlag("stage among its siblings", { helpValue: "<n>" }),
  project: textFlag("project; empty clears", { helpValue: "<uuid>" }),
  "start-date": textFlag("first day", { helpValue: "<YYYY-MM-DD>" }),
  "due-date": textFlag("last day", { helpValue: "<YYYY-MM-DD>" }),
};

export interface IssueFieldValues {
  readonly status?: string | undefined;
  readonly priority?: string | undefined;
  readonly assignee?: string | undefined;
  readonly "assignee-id"?: string | undefined;
  readonly parent?: string | undefined;
  readonly stage?: string | undefined;
  readonly project?: string | undefined;
  readonly "start-date"?: string | undefined;
  readonly "due-date"?: string | undefined;
}

const STATUS = /^[a-z0-9][a-z0-9_]{0,31}$/;

/** A status as servers accept it: their own list may be longer than ours, so only the shape is checked (cli.md 4.12). */
export function checkStatus(status: string): string {
  if (STATUS.test(status)) return status;
  throw usage(`${JSON.stringify(status)} is not a status`, "Statuses look like todo, in_progress or done.");
}

/** Everything that can be said about the fields without a request: shapes and combinations. */
export function checkIssueFields(flags: IssueFieldValues): void {
  if (flags.status !== undefined) checkStatus(flags.status);
  if (flags.stage !== undefined && !/^[1-9]\d{0,5}$/.test(flags.stage)) throw usage("--stage must be an integer of at least 1");
  if (flags.assignee !== undefined && flags["assignee-id"] !== undefined) throw usage("--assignee and --assignee-id exclude each other");
  if (flags.parent !== undefined && flags.parent !== "") checkIssueRef(flags.parent);
}

/** The body fields for the flags that were given; an empty parent or project clears (null), an empty date is sent as it is. */
export async function issueFields(session: Session, flags: IssueFieldValues): Promise<IssueInput> {
  const body: IssueInput = {};
  if (flags.status !== undefined) body.status = flags.status;
  if (flags.priority !== undefined) body.priority = flags.priority;
  if (flags.parent !== undefined) body.parent_issue_id = flags.parent === "" ? null : (await resolveIssue(session, flags.parent)).id;
  if (flags.project !== undefined) body.project_id = flags.project === "" ? null : await projectId(session, flags.project);
  if (flags.stage !== undefined) body.stage = Number(flags.stage);
  if (flags["start-date"] !== undefined) body.start_date = flags["start-date"];
  if (flags["due-date"] !== undefined) body.due_date = flags["due-date"];
  const person = await findPerson(session, flags.assignee, flags["assignee-id"]);
  return person === undefined ? body : { ...body, assignee_type: person.kind, assignee_id: person.id };
}

/** Loaded only when a project is named: most calls name none. */
async function projectId(session: Session, ref: string): Promise<string> {
  const { resolveProject } = await import("./resolve-objects.ts");
  return resolveProject(session, ref);
}

/** The person meant by a name or by an id flag; undefined when neither was given. */
export async function findPerson(session: Session, name: string | undefined, id: string | undefined): Promise<Person | undefined> {
  if (name === undefined && id === undefined) return undefined;
  if ((name ?? id)?.trim() === "") throw usage("the assignee is empty");
  const people = await listPeople(session);
  return id === undefined ? choosePerson(people, name ?? "") : personById(people, id);
}

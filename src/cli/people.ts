import { listPeople } from "./people-lists.ts";
import { choosePerson, type Person, personById, type PersonKind, usage } from "./resolve.ts";
import type { Session } from "./session.ts";

/** A person named by one of two flags: by name or by UUID (cli.md 4.10.4). */
export interface PersonFlags {
  readonly name: string | undefined;
  readonly id: string | undefined;
  /** How the two are written, for messages. */
  readonly flags: readonly [string, string];
  readonly kinds: readonly PersonKind[];
}

/** What can be said without a request: one of the two flags at most, and neither empty. */
export function checkPersonFlags(who: PersonFlags): void {
  if (who.name !== undefined && who.id !== undefined) throw usage(`${who.flags[0]} and ${who.flags[1]} exclude each other`);
  if ((who.name ?? who.id)?.trim() === "") throw usage(`${who.name === undefined ? who.flags[1] : who.flags[0]} is empty`);
}

/** The person meant, or undefined when neither flag was given. */
export async function findOnePerson(session: Session, who: PersonFlags): Promise<Person | undefined> {
  if (who.name === undefined && who.id === undefined) return undefined;
  const people = await listPeople(session, who.kinds);
  return who.id === undefined ? choosePerson(people, who.name ?? "") : personById(people, who.id);
}

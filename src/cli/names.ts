import { listPeople } from "./people-lists.ts";
import type { Session } from "./session.ts";

/**
 * Turns a type and an id into `agent:Name` for a table; an unknown one stays `type:id` (cli.md 4.10.5).
 * The lists are fetched once, and a failure to fetch them only costs the names.
 */
export async function displayNames(session: Session): Promise<(type: string | null | undefined, id: string | null | undefined) => string> {
  const people = await listPeople(session).catch(() => []);
  const names = new Map(people.map((person) => [`${person.kind}:${person.id}`, person.name]));
  return (type, id) => {
    if (!type || !id) return "";
    if (type === "system") return type;
    return `${type}:${names.get(`${type}:${id}`) ?? id}`;
  };
}

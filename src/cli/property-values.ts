import { isUuid } from "../lib/core/index.ts";
import type { Property } from "../lib/wire/index.ts";
import { listPeople } from "./people-lists.ts";
import { choices } from "./properties.ts";
import { choosePerson, type Person, usage } from "./resolve.ts";
import type { Session } from "./session.ts";

/** A value as it is sent, by the property's type (cli.md 5.8). Throws usage errors (exit 2), and 4 for an unknown person. */
export async function encodeValue(session: Session, property: Property, text: string): Promise<unknown> {
  switch (property.type) {
    case "number": {
      const value = text.trim() === "" ? Number.NaN : Number(text);
      if (!Number.isFinite(value)) throw usage(`--value ${JSON.stringify(text)} is not a number`);
      return value;
    }
    case "checkbox":
      if (text !== "true" && text !== "false") throw usage("--value must be true or false");
      return text === "true";
    case "select":
      return choice(property, text);
    case "multi_select":
      return several(text).map((one) => choice(property, one));
    case "actor":
      return (await people(session, [text]))[0];
    case "multi_actor":
      return people(session, several(text));
    default:
      return text;
  }
}

function several(text: string): string[] {
  const parts = text.split(",").map((part) => part.trim()).filter((part) => part !== "");
  if (parts.length === 0) throw usage("--value names nothing");
  return parts;
}

function choice(property: Property, text: string): string {
  const wanted = text.trim().toLowerCase();
  const options = choices(property);
  const found = options.find((one) => one.id === text.trim()) ?? options.find((one) => one.name.toLowerCase() === wanted);
  if (found !== undefined) return found.id;
  throw usage(`${property.name} has no option ${JSON.stringify(text.trim())}`, `Options: ${options.map((one) => one.name).join(", ")}.`);
}

/** `member:<uuid>` is taken as it is; a name is looked up, and the list is fetched only for that. */
async function people(session: Session, refs: readonly string[]): Promise<string[]> {
  let members: readonly Person[] | undefined;
  const found: string[] = [];
  for (const ref of refs) {
    const [kind, id = ""] = ref.trim().toLowerCase().split(":");
    if (kind === "member" && isUuid(id)) {
      found.push(`member:${id}`);
      continue;
    }
    members ??= await listPeople(session, ["member"]);
    found.push(`member:${choosePerson(members, ref).id}`);
  }
  return found;
}

/** One value of an issue for output (cli.md 5.8). */
export interface PropertyRow {
  readonly property_id: string;
  readonly name: string;
  readonly type: string;
  readonly value: unknown;
  readonly display: string;
  readonly archived?: boolean;
}

/** The values in the order of the catalogue; a value whose property is unknown stands last, under its id. */
export async function propertyRows(session: Session, properties: readonly Property[], values: Readonly<Record<string, unknown>>): Promise<PropertyRow[]> {
  const known = properties.filter((one) => one.id in values);
  const named = known.some((one) => one.type === "actor" || one.type === "multi_actor");
  // A name that cannot be looked up costs only the name.
  const members = named ? await listPeople(session, ["member"]).catch(() => []) : [];
  const rows = known.map((one): PropertyRow => {
    const value = values[one.id];
    const display = (Array.isArray(value) ? (value as unknown[]) : [value]).map((part) => shown(one, part, members)).join(", ");
    return { property_id: one.id, name: one.name, type: one.type, value, display, ...(one.archived === true ? { archived: true } : {}) };
  });
  const strays = Object.entries(values).filter(([id]) => !known.some((one) => one.id === id));
  return [...rows, ...strays.map(([id, value]) => ({ property_id: id, name: id, type: "", value, display: JSON.stringify(value) }))];
}

function shown(property: Property, value: unknown, members: readonly Person[]): string {
  if (value === true || value === false) return value ? "✓" : "✗";
  const text = typeof value === "string" ? value : JSON.stringify(value);
  if (property.type.endsWith("select")) return choices(property).find((one) => one.id === text)?.name ?? text;
  if (property.type.endsWith("actor")) return members.find((one) => `member:${one.id}` === text)?.name ?? text;
  return text;
}

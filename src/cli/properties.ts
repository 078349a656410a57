import { createPropertyApi } from "../lib/api/user-api-property.ts";
import { uuid } from "../lib/core/index.ts";
import type { Property, PropertyOption } from "../lib/wire/index.ts";
import { newerServer } from "./newer-server.ts";
import { missing, usage } from "./resolve.ts";
import type { Session } from "./session.ts";

const DEFAULT_COLOR = "#6b7280";

/** The types a property may have; `wire` has them too, but behind a library that no command needs to load. */
export const TYPES = ["text", "number", "select", "multi_select", "date", "checkbox", "url", "actor", "multi_actor"];

/** All properties of the workspace, archived ones too. */
export function catalogue(session: Session): Promise<Property[]> {
  session.workspaceId();
  return newerServer("custom properties", createPropertyApi(session.http).list(true));
}

/** The property with this id, else with this name in any case (cli.md 4.10.3). None: exit 4 with the names there are. */
export function chooseProperty(properties: readonly Property[], ref: string): Property {
  const wanted = ref.trim().toLowerCase();
  if (wanted === "") throw usage("the property is empty");
  const found = properties.find((one) => one.id === wanted) ?? properties.find((one) => one.name.toLowerCase() === wanted);
  if (found !== undefined) return found;
  const names = properties.map((one) => one.name);
  throw missing(`no property is called ${JSON.stringify(ref.trim())}`, names.length === 0 ? "The workspace has none." : `Properties: ${names.join(", ")}.`);
}

export function choices(property: Property): readonly PropertyOption[] {
  return property.config?.options ?? [];
}

/**
 * `--option Name` and `--option Name:#rrggbb` as the whole list of choices. A choice that was there before, by name, keeps
 * its id, so that issues keep their values.
 */
export function optionList(values: readonly string[], before: readonly PropertyOption[] = []): PropertyOption[] {
  const options = values.map((value) => {
    const cut = value.lastIndexOf(":#");
    const name = (cut === -1 ? value : value.slice(0, cut)).trim();
    const color = cut === -1 ? DEFAULT_COLOR : value.slice(cut + 1).toLowerCase();
    if (name === "") throw usage(`--option ${JSON.stringify(value)} has no name`);
    if (!/^#[0-9a-f]{6}$/.test(color)) throw usage(`--option ${JSON.stringify(value)}: the color is not #rrggbb`);
    return { id: before.find((one) => one.name.toLowerCase() === name.toLowerCase())?.id ?? uuid(), name, color };
  });
  if (new Set(options.map((one) => one.name.toLowerCase())).size !== options.length) throw usage("--option names a choice twice");
  return options;
}

/** Choices belong to selects only (exit 2). */
export function checkOptionType(type: string, options: readonly string[] | undefined): void {
  if (options !== undefined && type !== "select" && type !== "multi_select") throw usage(`a property of type ${type} has no options`);
}

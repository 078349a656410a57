import type { PropertyRow } from "../cli/property-values.ts";
import type { Property } from "../lib/wire/index.ts";
import { tableText } from "./table.ts";

/** `property list` and what changes of a property show. */
export function propertyTable(properties: readonly Property[]): string {
  return tableText(
    ["ID", "ICON", "NAME", "TYPE", "OPTIONS", "USED", "ARCHIVED"],
    properties.map((one) => [one.id, one.icon, one.name, one.type, optionNames(one), one.usage_count ?? 0, one.archived === true ? "yes" : ""]),
  );
}

/** `issue property …`. */
export function propertyValueTable(rows: readonly PropertyRow[]): string {
  return tableText(["NAME", "VALUE", "TYPE"], rows.map((row) => [row.name, row.display, row.type]));
}

function optionNames(one: Property): string {
  return (one.config?.options ?? []).map((option) => option.name).join(", ");
}

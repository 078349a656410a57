import type { TomlStatement } from "../toml-scan.ts";
import { type ConfigDocument, readDocument, startsWith, textOf } from "./document.ts";

/**
 * `ours` with these units as they are in `theirs`: a unit is a key above all tables, or a table with everything below it,
 * by its dotted name. A unit that is not in `theirs` goes away; all else keeps its bytes. Managed blocks are left to
 * `planConfig`, which has to run over the result.
 */
export function takeUnits(ours: string, theirs: string, units: readonly string[]): string {
  const names = units.map((unit) => unit.split(".").map((part) => part.trim()));
  const own = readDocument(ours);
  const given = readDocument(theirs);
  const gone = new Set(inUnits(own, names));
  const taken = inUnits(given, names).map((index) => given.statements[index]).filter((statement) => statement !== undefined);
  const present = own.statements.filter((_, index) => gone.has(index)).flatMap((statement) => textOf(own, statement));
  if (present.join("\n") === taken.flatMap((statement) => textOf(given, statement)).join("\n")) return ours;
  const roots = taken.filter((statement) => isRootPair(statement));
  const tables = taken.filter((statement) => !isRootPair(statement));
  const lines = (statements: readonly TomlStatement[]): string[] => statements.flatMap((statement) => textOf(given, statement));
  const place = rootPlace(own, gone);
  const result: string[] = [];
  for (const [index, statement] of own.statements.entries()) {
    if (index === place) result.push(...lines(roots));
    if (!gone.has(index)) result.push(...textOf(own, statement));
  }
  if (place === own.statements.length) result.push(...lines(roots));
  if (tables.length > 0) result.push(...(result.at(-1)?.trim() === "" ? [] : [""]), ...lines(tables), "");
  return result.join("\n");
}

/** Indexes of the statements that belong to one of the units; nothing inside a managed block does. */
function inUnits(document: ConfigDocument, units: readonly (readonly string[])[]): number[] {
  const managed = new Set(document.regions.flatMap((region) => Array.from({ length: region.after - region.begin }, (_, offset) => region.begin + offset)));
  const found: number[] = [];
  let table: readonly string[] = [];
  for (const [index, statement] of document.statements.entries()) {
    if (statement.kind === "table" || statement.kind === "array-table") table = statement.name;
    if (managed.has(index) || statement.kind === "comment" || statement.kind === "blank") continue;
    const name = table.length === 0 ? statement.name : table;
    if (units.some((unit) => startsWith(name, unit))) found.push(index);
  }
  return found;
}

function isRootPair(statement: TomlStatement): boolean {
  return statement.kind === "pair" && statement.table?.length === 0;
}

/** Where root keys go: in the place of the first that went away, else before the first table. */
function rootPlace(document: ConfigDocument, gone: ReadonlySet<number>): number {
  const { statements } = document;
  const first = statements.findIndex((statement, index) => gone.has(index) && isRootPair(statement));
  if (first !== -1) return first;
  const header = statements.findIndex((statement) => statement.kind === "table" || statement.kind === "array-table");
  return header === -1 ? statements.length : header;
}

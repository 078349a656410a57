import { parse } from "smol-toml";
import { isObject } from "../../../core/index.ts";
import { type ConfigIssue, type ManagedWants, TABLE_BLOCKS, type TableBlock, beginLine, endLine, wantedTables } from "./blocks.ts";
import { type ConfigDocument, type Region, foreignInTables, innerOf, isOfTable, ownTables, readDocument, textOf } from "./document.ts";
import { inlineToml, tomlKey } from "./inline.ts";

/** What is wrong with the wanted table blocks; blocks about which nothing is known are none of this function's business. */
export function tableIssues(document: ConfigDocument, wants: ManagedWants): ConfigIssue[] {
  return TABLE_BLOCKS.flatMap((id) => {
    const wanted = wantedTables(id, wants);
    return wanted === undefined ? [] : issuesOf(document, id, wanted);
  });
}

function issuesOf(document: ConfigDocument, id: TableBlock, wanted: readonly string[] | null): ConfigIssue[] {
  const regions = document.regions.filter((region) => region.id === id);
  const region = regions[0];
  const issue = (fault: ConfigIssue["fault"], detail: string): ConfigIssue => ({ fault, block: id, detail });
  if (wanted === null) return regions.length === 0 ? [] : [issue("OUTDATED", "the block is not wanted here")];
  const issues = contrary(document, id).map((index) => issue("CONFLICT_KEY", shownName(document, index)));
  if (region === undefined) return [...issues, issue("MISSING", "the block is not there")];
  if (regions.length > 1) issues.push(issue("DUPLICATE", `the block is there ${regions.length} times`));
  if (region.end === undefined) return [...issues, issue("OUTDATED", "the block has no end line")];
  const foreign = foreignInTables(document, region);
  if (foreign.length > 0) issues.push(issue("FOREIGN", `${foreign.length} statements inside that are not ours`));
  else if (innerLines(document, region).join("\n") !== wanted.join("\n")) issues.push(issue("OUTDATED", "the block says something else"));
  return issues;
}

function innerLines(document: ConfigDocument, region: Region): string[] {
  return innerOf(region).flatMap((index) => linesAt(document, index)).map((line) => line.trimEnd());
}

function linesAt(document: ConfigDocument, index: number): string[] {
  const statement = document.statements[index];
  return statement === undefined ? [] : textOf(document, statement);
}

function shownName(document: ConfigDocument, index: number): string {
  const statement = document.statements[index];
  return [...(statement?.kind === "pair" ? (statement.table ?? []) : []), ...(statement?.name ?? [])].slice(0, 3).join(".");
}

/**
 * The text with every wanted table block once, as it has to be, behind what it replaces; what others wrote into a block
 * stays beside it. `dropped`: something that is no block of ours went away.
 */
export function applyTables(text: string, wants: ManagedWants): { text: string; dropped: boolean } {
  let result = text;
  let dropped = false;
  for (const id of TABLE_BLOCKS) {
    const wanted = wantedTables(id, wants);
    const document = readDocument(result);
    if (wanted === undefined || issuesOf(document, id, wanted).length === 0) continue;
    const gone = new Set(wanted === null ? [] : contrary(document, id));
    dropped ||= gone.size > 0;
    result = rebuilt(document, id, wanted, gone);
  }
  return { text: result, dropped };
}

function rebuilt(document: ConfigDocument, id: TableBlock, wanted: readonly string[] | null, gone: ReadonlySet<number>): string {
  const ours = new Set(gone);
  const regions = document.regions.filter((one) => one.id === id);
  for (const region of regions) {
    ours.add(region.begin);
    if (region.end === undefined) for (const index of ownTables(document, region)) ours.add(index);
    else {
      ours.add(region.end);
      const foreign = new Set(foreignInTables(document, region));
      for (const index of innerOf(region)) if (!foreign.has(index)) ours.add(index);
    }
  }
  const block = wanted === null ? [] : [beginLine(id), ...wanted, endLine(id)];
  const place = wanted === null ? undefined : regions.find((region) => mayStand(document, region));
  const lines = document.statements.flatMap((_, index) => {
    if (index === place?.begin) return block;
    if (gone.has(index)) return pruned(document, index, id);
    return ours.has(index) ? [] : linesAt(document, index);
  });
  while (lines.length > 0 && lines.at(-1)?.trim() === "") lines.pop();
  if (wanted !== null && place === undefined) lines.push(...(lines.length === 0 ? [] : [""]), ...block);
  return lines.length === 0 ? "" : `${lines.join("\n")}\n`;
}

/** True when the block can stay where it is: the tables in it would take up every pair that follows. */
function mayStand(document: ConfigDocument, region: Region): boolean {
  const next = document.statements.slice(region.begin + 1).filter((statement, offset) => {
    const index = region.begin + 1 + offset;
    const inside = region.end !== undefined && index < region.end && !foreignInTables(document, region).includes(index);
    return !inside && statement.kind !== "comment" && statement.kind !== "blank";
  })[0];
  return region.end !== undefined && next?.kind !== "pair";
}

/** Indexes of statements outside the block that speak of its tables: they would add to it or contradict it. */
function contrary(document: ConfigDocument, id: TableBlock): number[] {
  // Entries of skills are looked after as a whole, whether a block is wanted or not.
  if (id === "disabled-skills") return [];
  const inside = new Set(
    document.regions.filter((region) => region.id === id).flatMap((region) => {
      if (region.end === undefined) return ownTables(document, region);
      const foreign = foreignInTables(document, region);
      return innerOf(region).filter((index) => !foreign.includes(index));
    }),
  );
  let below = false;
  return document.statements.flatMap((statement, index) => {
    if (statement.kind === "table" || statement.kind === "array-table") below = isOfTable(id, statement.name);
    if (statement.kind === "comment" || statement.kind === "blank" || inside.has(index)) return [];
    if (below || (statement.kind === "pair" && statement.table !== undefined && isOfTable(id, [...statement.table, ...statement.name]))) return [index];
    return statement.kind === "pair" && prunedValue(document, index, id) !== null ? [index] : [];
  });
}

/** What is left of a statement that goes away: of `profiles = { x = { … } }` everything but the policy in it. */
function pruned(document: ConfigDocument, index: number, id: TableBlock): string[] {
  const statement = document.statements[index];
  if (statement?.kind !== "pair" || statement.table === undefined || isOfTable(id, [...statement.table, ...statement.name])) return [];
  const value = prunedValue(document, index, id);
  return value === null ? [] : [`${statement.name.map(tomlKey).join(".")} = ${inlineToml(value)}`];
}

/** An inline table without what the block owns; null when it holds nothing of that. */
function prunedValue(document: ConfigDocument, index: number, id: TableBlock): Record<string, unknown> | null {
  const statement = document.statements[index];
  if (id !== "shell-environment" || statement?.table === undefined || [...statement.table, ...statement.name][0] !== "profiles") return null;
  let value: unknown = parsed(linesAt(document, index).join("\n"));
  for (const part of statement.name) value = isObject(value) ? value[part] : undefined;
  if (!isObject(value)) return null;
  const name = [...statement.table, ...statement.name];
  const without = (table: Record<string, unknown>, at: readonly string[]): Record<string, unknown> =>
    Object.fromEntries(Object.entries(table).filter(([key]) => !isOfTable(id, [...at, key])).map(([key, item]) => [key, isObject(item) && !(item instanceof Date) ? without(item, [...at, key]) : item]));
  const left = without(value, name);
  return JSON.stringify(left) === JSON.stringify(value) ? null : left;
}

/** What is no TOML is told by whoever reads the whole file. */
function parsed(text: string): unknown {
  try {
    return parse(text);
  } catch {
    return undefined;
  }
}

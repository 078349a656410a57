import { type ConfigFault, type ConfigIssue, KEY_BLOCKS, type KeyBlock, type ManagedWants, SANDBOX_TABLE, TABLE_BLOCKS, type TableBlock, blockNames, ownedNames, pairsOf, wantedTables } from "./blocks.ts";
import { type ConfigDocument, type Region, foreignInTables, fullName, hasTable, innerOf, isBelowTable, isTableBlock, sameName, startsWith, textOf } from "./document.ts";
import type { TomlStatement } from "../toml-scan.ts";
import { tableIssues } from "./tables.ts";

/** Everything about the managed blocks that is not as it has to be; empty = not a byte is to change (execenv.md 7.9). */
export function analyse(document: ConfigDocument, wants: ManagedWants): ConfigIssue[] {
  return [
    ...KEY_BLOCKS.flatMap((id) => keyBlockIssues(document, id, wants)),
    ...TABLE_BLOCKS.filter((id) => wantedTables(id, wants) === undefined).flatMap((id) => tableBlockIssues(document, id)),
    ...tableIssues(document, wants),
    ...document.strayEnds.map((): ConfigIssue => ({ fault: "OUTDATED", block: null, detail: "an end line without its beginning" })),
    ...conflicts(document, wants).map((index): ConfigIssue => {
      const name = fullName(document.statements[index] ?? NOTHING) ?? [];
      return { fault: "CONFLICT_KEY", block: KEY_BLOCKS.find((id) => ownedNames(id, wants).some((owned) => startsWith(name, owned) || startsWith(owned, name))) ?? null, detail: name.join(".") };
    }),
    ...skillsEntries(document).map((): ConfigIssue => ({ fault: "SKILLS_ENTRY", block: null, detail: "[[skills.config]]" })),
  ];
}

const NOTHING = { kind: "blank", name: [], table: [], start: 0, end: 0 } as const;

/** The lines between the markers; with `inTable` they stand in the table that all their names begin with. */
export function bodyOf(document: ConfigDocument, id: KeyBlock, wants: ManagedWants): { lines: readonly string[]; inTable: string | undefined } {
  const pairs = pairsOf(id, wants);
  if (id === "sandbox") {
    const shown = pairs.filter((pair) => pair.name.length === 1 || !hasTable(document, SANDBOX_TABLE));
    return { lines: shown.map((pair) => `${pair.name.join(".")} = ${pair.value}`), inTable: undefined };
  }
  const table = pairs[0]?.name[0];
  const inTable = table !== undefined && hasTable(document, table) ? table : undefined;
  return { lines: pairs.map((pair) => `${inTable === undefined ? pair.name.join(".") : (pair.name[1] ?? "")} = ${pair.value}`), inTable };
}

function keyBlockIssues(document: ConfigDocument, id: KeyBlock, wants: ManagedWants): ConfigIssue[] {
  const issue = (fault: ConfigFault, detail: string): ConfigIssue[] => [{ fault, block: id, detail }];
  const regions = document.regions.filter((region) => region.id === id);
  const wanted = pairsOf(id, wants).length > 0;
  const region = regions[0];
  if (region === undefined) return wanted ? issue("MISSING", "the block is not there") : [];
  if (!wanted) return issue("OUTDATED", "the block is switched off");
  if (regions.length > 1) return issue("DUPLICATE", `the block is there ${regions.length} times`);
  const body = bodyOf(document, id, wants);
  if (region.end === undefined) return issue("OUTDATED", "the block has no end line");
  const place = isPlaced(document, region, body.inTable);
  const issues = place ? [] : issue("MISPLACED", "the block stands where its keys mean something else");
  const foreign = foreignOf(document, region);
  if (foreign.length > 0) issues.push(...issue("FOREIGN", `${foreign.length} statements inside that are not ours`));
  const own = innerOf(region).filter((index) => !foreign.includes(index));
  const text = own.flatMap((index) => textOf(document, document.statements[index] ?? NOTHING)).map((line) => line.trimEnd());
  if (text.join("\n") !== body.lines.join("\n")) issues.push(...issue("OUTDATED", "the block says something else"));
  else if (id === "sandbox" && !networkInTable(document, wants)) issues.push(...issue("OUTDATED", "the sandbox table does not allow network access"));
  return issues;
}

function isPlaced(document: ConfigDocument, region: Region, inTable: string | undefined): boolean {
  if (inTable === undefined) return !isBelowTable(document, region.begin);
  const table = document.statements[region.begin]?.table;
  return table !== undefined && sameName(table, [inTable]);
}

function tableBlockIssues(document: ConfigDocument, id: TableBlock): ConfigIssue[] {
  const regions = document.regions.filter((region) => region.id === id);
  const region = regions[0];
  if (region === undefined) return [];
  if (regions.length > 1) return [{ fault: "DUPLICATE", block: id, detail: `the block is there ${regions.length} times` }];
  if (region.end === undefined) return [{ fault: "OUTDATED", block: id, detail: "the block has no end line" }];
  const foreign = foreignOf(document, region);
  return foreign.length === 0 ? [] : [{ fault: "FOREIGN", block: id, detail: `${foreign.length} statements inside that are not ours` }];
}

/** Indexes inside a region that its block does not own; blank lines of a key block count as ours, we write none there. */
export function foreignOf(document: ConfigDocument, region: Region): number[] {
  if (isTableBlock(region.id)) return foreignInTables(document, region);
  const { id } = region;
  let headed = false;
  return innerOf(region).filter((index) => {
    const statement = document.statements[index];
    if (statement === undefined || statement.kind === "blank") return false;
    headed ||= statement.kind === "table" || statement.kind === "array-table";
    return !isOfKeys(statement, id, !headed);
  });
}

/**
 * True for a pair that a key block owns: by its full name, and `asWritten` by the words that we write, which mean something
 * else when the block got below a table.
 */
export function isOfKeys(statement: TomlStatement, id: KeyBlock, asWritten: boolean): boolean {
  if (statement.kind !== "pair") return false;
  return blockNames(id).some((name) => sameName(fullName(statement), name) || (asWritten && (sameName(statement.name, name) || (name.length > 1 && sameName(statement.name, name.slice(1))))));
}

/** With a `[sandbox_workspace_write]` table the value has to be in it: TOML refuses a dotted key beside the header. */
export function networkInTable(document: ConfigDocument, wants: ManagedWants): boolean {
  if (wants.sandbox !== "workspace-write" || !hasTable(document, SANDBOX_TABLE)) return true;
  const values = document.statements.filter((statement) => statement.kind === "pair" && sameName(fullName(statement), [SANDBOX_TABLE, "network_access"]));
  return values.length === 1 && /=\s*true\s*(#.*)?$/.test(document.lines[values[0]?.start ?? 0]?.trimEnd() ?? "");
}

/** Indexes of statements outside our blocks that contradict a wanted block, or that cannot stand beside its keys. */
export function conflicts(document: ConfigDocument, wants: ManagedWants): number[] {
  const inside = new Set(
    document.regions.flatMap((region) => {
      const foreign = foreignOf(document, region);
      return innerOf(region).filter((index) => !foreign.includes(index));
    }),
  );
  const owned = KEY_BLOCKS.flatMap((id) => ownedNames(id, wants));
  const sandboxTable = hasTable(document, SANDBOX_TABLE);
  return document.statements.flatMap((statement, index) => {
    const name = fullName(statement);
    if (name === undefined || inside.has(index)) return [];
    // In its table the value is kept right in place.
    if (sandboxTable && startsWith(name, [SANDBOX_TABLE, "network_access"])) return [];
    if (owned.some((one) => startsWith(name, one))) return [index];
    // `features = { … }` at the root closes that table for our dotted keys.
    const inline = statement.kind === "pair" && statement.table?.length === 0 && owned.some((one) => one.length > name.length && startsWith(one, name));
    return inline ? [index] : [];
  });
}

/** Indexes of the headers of `[[skills.config]]` outside our block: Codex Desktop writes entries that the command line refuses. */
export function skillsEntries(document: ConfigDocument): number[] {
  const ours = new Set(document.regions.filter((region) => region.id === "disabled-skills").flatMap(innerOf));
  return document.statements.flatMap((statement, index) => (statement.kind === "array-table" && sameName(statement.name, ["skills", "config"]) && !ours.has(index) ? [index] : []));
}

import { parse } from "smol-toml";
import { MulticaError, errorText, isObject } from "../../../core/index.ts";
import { analyse, bodyOf, conflicts, foreignOf, isOfKeys, networkInTable, skillsEntries } from "./analyse.ts";
import { type ConfigIssue, KEY_BLOCKS, type KeyBlock, type ManagedWants, SANDBOX_TABLE, TABLE_BLOCKS, beginLine, endLine, ownedNames, wantedTables } from "./blocks.ts";
import { type ConfigDocument, type Region, fullName, innerOf, isOfTable, ownTables, readDocument, sameName, startsWith, textOf } from "./document.ts";
import { inlineToml, tomlKey } from "./inline.ts";
import { takeUnits } from "./reset.ts";
import { applyTables } from "./tables.ts";

export interface ConfigPlan {
  /** The text as it has to be; the given one when it is right already. */
  readonly text: string;
  readonly issues: readonly ConfigIssue[];
  /** Something that is not ours is no longer in the text: keep the old one. */
  readonly dropsForeign: boolean;
}

/**
 * A `config.toml` with its managed blocks right and everything else in its bytes and order (execenv.md 7.9).
 * `shared` is the user's own configuration: a table block that is no longer wanted had replaced tables that come from there.
 * Throws `codex_config_invalid` when the text is no TOML or would not be afterwards: then nothing may be written.
 */
export function planConfig(text: string, wants: ManagedWants, shared = ""): ConfigPlan {
  try {
    const document = readDocument(text);
    const issues = analyse(document, wants);
    if (issues.length === 0) {
      parse(text);
      return { text, issues, dropsForeign: false };
    }
    const tables = applyTables(text, wants);
    const settled = readDocument(inherited(document, tables.text, wants, shared));
    const drop = dropped(settled, wants);
    const result = render(settled, wants, drop.all);
    // The result only: a block that was there twice is no valid TOML before, and is after.
    parse(result);
    const left = analyse(readDocument(result), wants);
    if (left.length > 0) throw new Error(`the managed blocks do not settle: ${left.map((issue) => `${issue.fault} ${issue.detail}`).join(", ")}`);
    return { text: result, issues, dropsForeign: tables.dropped || drop.foreign || !networkInTable(settled, wants) };
  } catch (error) {
    throw configInvalid(parseError(text) ?? error);
  }
}

/** Of a text that is no TOML by itself the line there is told, and not the one in what it would have become. */
function parseError(text: string): unknown {
  try {
    parse(text);
    return undefined;
  } catch (error) {
    return error;
  }
}

/** The user's own tables come back where a block of ours stood for them and is gone. */
function inherited(before: ConfigDocument, text: string, wants: ManagedWants, shared: string): string {
  const units = TABLE_BLOCKS.flatMap((id) => (id !== "disabled-skills" && wantedTables(id, wants) === null && before.regions.some((region) => region.id === id) ? [id] : []));
  const after = readDocument(text);
  const missing = units.filter((id) => !after.statements.some((statement) => isOfTable(id, [...(statement.table ?? []), ...statement.name])));
  if (missing.length === 0 || parseError(shared) !== undefined) return text;
  return takeUnits(text, shared, missing.map((id) => (id === "mcp_servers" ? id : "shell_environment_policy")));
}

/** The parser quotes the lines around its error, and they may hold secrets: only its first line is passed on. */
export function configInvalid(error: unknown, path = "the Codex configuration"): MulticaError {
  const said = (error instanceof Error ? error.message : errorText(error)).split("\n")[0] ?? "";
  return new MulticaError("codex_config_invalid", `${path} cannot be read or completed: ${said}${lineOf(error)}`, {
    cause: Object.assign(new Error(said), isObject(error) && typeof error["line"] === "number" ? { line: error["line"] } : {}),
    suggestions: ["Correct config.toml in the Codex home, or remove the task's copy so that it is made anew."],
  });
}

function lineOf(error: unknown): string {
  return isObject(error) && typeof error["line"] === "number" ? ` (line ${error["line"]})` : "";
}

/** Indexes that do not come back: our old blocks, and what contradicts the new ones. */
function dropped(document: ConfigDocument, wants: ManagedWants): { all: Set<number>; foreign: boolean } {
  const all = new Set<number>(document.strayEnds);
  const keyRegions = document.regions.filter((region) => KEY_BLOCKS.some((id) => id === region.id));
  for (const region of keyRegions) {
    all.add(region.begin);
    if (region.end !== undefined) all.add(region.end);
    const foreign = new Set(foreignOf(document, region));
    for (const index of innerOf(region)) if (!foreign.has(index)) all.add(index);
  }
  const contrary = conflicts(document, wants).filter((index) => !isExpandable(document, index, wants));
  const entries = skillsEntries(document).flatMap((header) => tableAt(document, header));
  const tables = contrary.flatMap((index) => (document.statements[index]?.kind === "table" ? tableAt(document, index) : [index]));
  // A half block's own pairs follow its beginning: they are conflicts too, and ours.
  const halves = new Set(keyRegions.filter((region) => region.end === undefined).flatMap((region) => ownFollowers(document, region)));
  const foreign = [...tables, ...entries].some((index) => !halves.has(index)) || conflicts(document, wants).some((index) => isExpandable(document, index, wants));
  for (const index of [...tables, ...entries, ...halves]) all.add(index);
  return { all, foreign };
}

function ownFollowers(document: ConfigDocument, region: Region): number[] {
  const own: number[] = [];
  for (let index = region.after; index < document.statements.length; index += 1) {
    const statement = document.statements[index];
    if (statement === undefined || !KEY_BLOCKS.some((id) => id === region.id && isOfKeys(statement, id, true))) break;
    own.push(index);
  }
  return own;
}

/** The header of this index with the pairs and sub-tables that belong to it; comments and blank lines stay. */
function tableAt(document: ConfigDocument, header: number): number[] {
  const name = document.statements[header]?.name ?? [];
  const found = [header];
  for (let index = header + 1; index < document.statements.length; index += 1) {
    const statement = document.statements[index];
    if (statement?.kind === "pair") found.push(index);
    else if (statement?.kind === "table" || statement?.kind === "array-table") {
      if (statement.name.length <= name.length || !startsWith(statement.name, name)) break;
      found.push(index);
    }
  }
  return found;
}

/** A root `features = { … }` that also says other things: it becomes dotted keys, without what we own. */
function isExpandable(document: ConfigDocument, index: number, wants: ManagedWants): boolean {
  const statement = document.statements[index];
  if (statement?.kind !== "pair" || statement.table?.length !== 0) return false;
  return KEY_BLOCKS.flatMap((id) => ownedNames(id, wants)).some((name) => name.length > statement.name.length && startsWith(name, statement.name));
}

function expanded(document: ConfigDocument, index: number, wants: ManagedWants): string[] {
  const own = textOf(document, document.statements[index] ?? { kind: "blank", name: [], table: [], start: 0, end: 0 });
  const table = document.statements[index]?.name[0] ?? "";
  const value: unknown = parse(own.join("\n"))[table];
  if (!isObject(value)) return [];
  const names = KEY_BLOCKS.flatMap((id) => ownedNames(id, wants));
  return Object.entries(value)
    .filter(([key]) => !names.some((name) => sameName([table, key], name)))
    .map(([key, item]) => `${table}.${tomlKey(key)} = ${inlineToml(item)}`);
}

function render(document: ConfigDocument, wants: ManagedWants, drop: ReadonlySet<number>): string {
  const expandable = new Set(conflicts(document, wants).filter((index) => isExpandable(document, index, wants)));
  const reordered = tableRegions(document);
  const rest: string[] = [];
  const headed = new Set<string>();
  document.statements.forEach((statement, index) => {
    const instead = reordered.get(index);
    if (instead !== undefined) rest.push(...instead.flatMap((part) => (typeof part === "string" ? [part] : textOf(document, document.statements[part] ?? statement))));
    if (instead !== undefined || drop.has(index)) return;
    if (expandable.has(index)) return void rest.push(...expanded(document, index, wants));
    const wrongNetwork = !networkInTable(document, wants) && sameName(fullName(statement), [SANDBOX_TABLE, "network_access"]);
    if (wrongNetwork) return;
    rest.push(...textOf(document, statement));
    const name = statement.kind === "table" && statement.name.length === 1 ? (statement.name[0] ?? "") : "";
    if (name === "" || headed.has(name)) return;
    headed.add(name);
    if (name === SANDBOX_TABLE && !networkInTable(document, wants)) rest.push("network_access = true");
    for (const id of KEY_BLOCKS) {
      const body = bodyOf(document, id, wants);
      if (body.inTable === name) rest.push(beginLine(id), ...body.lines, endLine(id));
    }
  });
  return [...topBlocks(document, wants), ...trimLeadingBlank(rest)].join("\n");
}

/** Steady state from the top: the memory blocks, the multi-agent block, the sandbox block, a blank line behind each. */
function topBlocks(document: ConfigDocument, wants: ManagedWants): string[] {
  const groups: readonly (readonly KeyBlock[])[] = [["memory-feature", "memory-config"], ["multi-agent"], ["sandbox"]];
  return groups.flatMap((ids) => {
    const lines = ids.flatMap((id) => {
      const body = bodyOf(document, id, wants);
      return body.lines.length === 0 || body.inTable !== undefined ? [] : [beginLine(id), ...body.lines, endLine(id)];
    });
    return lines.length === 0 ? [] : [...lines, ""];
  });
}

/**
 * Table blocks that something foreign got into, or whose end is lost: index of their first statement → what stands
 * there instead (lines, or indexes of statements), and nothing for their other statements.
 */
function tableRegions(document: ConfigDocument): Map<number, readonly (string | number)[]> {
  const result = new Map<number, readonly (string | number)[]>();
  for (const id of TABLE_BLOCKS) {
    const regions = document.regions.filter((region) => region.id === id);
    regions.forEach((region, order) => {
      // Of two blocks the later one loses its markers only: its tables may be somebody's.
      if (order > 0) {
        result.set(region.begin, []);
        if (region.end !== undefined) result.set(region.end, []);
        return;
      }
      if (region.end === undefined) {
        const own = ownTables(document, region);
        result.set(region.begin, [beginLine(id), ...own, endLine(id)]);
        for (const index of own) result.set(index, []);
        return;
      }
      const foreign = foreignOf(document, region);
      if (foreign.length === 0) return;
      const own = innerOf(region).filter((index) => !foreign.includes(index));
      const before = foreign.filter((index) => document.statements.slice(region.begin, index).every((statement) => statement.kind !== "table" && statement.kind !== "array-table") && document.statements[index]?.kind === "pair");
      const after = foreign.filter((index) => !before.includes(index));
      result.set(region.begin, [...before, beginLine(id), ...own, endLine(id), ...after]);
      for (const index of [...innerOf(region), region.end]) result.set(index, []);
    });
  }
  return result;
}

function trimLeadingBlank(lines: readonly string[]): readonly string[] {
  const first = lines.findIndex((line) => line.trim() !== "");
  return first === -1 ? [] : lines.slice(first);
}


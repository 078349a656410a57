import { type TomlStatement, scanToml } from "../toml-scan.ts";
import { type BlockId, TABLE_BLOCKS, type TableBlock, markerOf } from "./blocks.ts";

/** A pair of markers, or a beginning without an end; numbers are indexes of statements. */
export interface Region {
  readonly id: BlockId;
  readonly begin: number;
  /** Index of the END marker; undefined when it is missing. */
  readonly end: number | undefined;
  /** Index of the first statement behind it. */
  readonly after: number;
}

export interface ConfigDocument {
  readonly lines: readonly string[];
  readonly statements: readonly TomlStatement[];
  readonly regions: readonly Region[];
  /** Markers that end nothing. */
  readonly strayEnds: readonly number[];
}

/** Statements and managed regions of a `config.toml`. */
export function readDocument(text: string): ConfigDocument {
  const lines = text.split("\n");
  const statements = scanToml(lines);
  const markers = statements.flatMap((statement, index) => {
    const marker = statement.kind === "comment" ? markerOf(lines[statement.start] ?? "") : undefined;
    return marker === undefined ? [] : [{ index, ...marker }];
  });
  const regions: Region[] = [];
  const strayEnds: number[] = [];
  for (let at = 0; at < markers.length; at += 1) {
    const marker = markers[at];
    const next = markers[at + 1];
    if (marker === undefined) continue;
    if (!marker.begins) strayEnds.push(marker.index);
    else if (next !== undefined && !next.begins && next.id === marker.id) {
      regions.push({ id: marker.id, begin: marker.index, end: next.index, after: next.index + 1 });
      at += 1;
    } else regions.push({ id: marker.id, begin: marker.index, end: undefined, after: marker.index + 1 });
  }
  return { lines, statements, regions, strayEnds };
}

export function textOf(document: ConfigDocument, statement: TomlStatement): string[] {
  return document.lines.slice(statement.start, statement.end);
}

/** The full dotted name of a pair or header; undefined inside an array of tables, where names mean nothing to us. */
export function fullName(statement: TomlStatement): readonly string[] | undefined {
  if (statement.kind === "table") return statement.name;
  return statement.kind === "pair" && statement.table !== undefined ? [...statement.table, ...statement.name] : undefined;
}

export function sameName(a: readonly string[] | undefined, b: readonly string[]): boolean {
  return a !== undefined && a.length === b.length && startsWith(a, b);
}

export function startsWith(name: readonly string[] | undefined, prefix: readonly string[]): boolean {
  return name !== undefined && name.length >= prefix.length && prefix.every((part, index) => part === name[index]);
}

/** True when the document has this table by its own header; `[a.b]` alone does not make a table `[a]`. */
export function hasTable(document: ConfigDocument, name: string): boolean {
  return document.statements.some((statement) => statement.kind === "table" && sameName(statement.name, [name]));
}

/** True when a header stands before the statement of this index. */
export function isBelowTable(document: ConfigDocument, index: number): boolean {
  return document.statements.slice(0, index).some((statement) => statement.kind === "table" || statement.kind === "array-table");
}

export function isTableBlock(id: BlockId): id is TableBlock {
  return TABLE_BLOCKS.some((one) => one === id);
}

/** True for a full dotted name that belongs to what this block decides. */
export function isOfTable(id: TableBlock, name: readonly string[]): boolean {
  if (id === "mcp_servers") return startsWith(name, ["mcp_servers"]);
  if (id === "disabled-skills") return startsWith(name, ["skills", "config"]);
  return startsWith(name, ["shell_environment_policy"]) || (name[0] === "profiles" && name[2] === "shell_environment_policy");
}

/** Indexes of the statements between the markers. */
export function innerOf(region: Region): number[] {
  return Array.from({ length: (region.end ?? region.begin + 1) - region.begin - 1 }, (_, offset) => region.begin + 1 + offset);
}

/** Indexes inside the region of a table block that are not of its tables: Codex adds its own before the last line. */
export function foreignInTables(document: ConfigDocument, region: Region): number[] {
  const { id } = region;
  if (!isTableBlock(id)) return [];
  let ours = true;
  return innerOf(region).filter((index) => {
    const statement = document.statements[index];
    if (statement?.kind === "table" || statement?.kind === "array-table") ours = isOfTable(id, statement.name);
    else if (statement?.kind === "pair" && statement.table?.length === 0) ours = isOfTable(id, statement.name);
    return !ours;
  });
}

/** Statements behind a beginning without an end that are of its tables, up to the first that is not. */
export function ownTables(document: ConfigDocument, region: Region): number[] {
  const { id } = region;
  const own: number[] = [];
  let last = 0;
  for (let index = region.after; isTableBlock(id) && index < document.statements.length; index += 1) {
    const statement = document.statements[index];
    const header = statement?.kind === "table" || statement?.kind === "array-table";
    if (statement === undefined || (header && !isOfTable(id, statement.name)) || (!header && own.length === 0 && statement.kind !== "blank")) break;
    own.push(index);
    if (header || statement.kind === "pair") last = own.length;
  }
  return own.slice(0, last);
}

import { type TomlStatement, scanToml } from "../toml-scan.ts";
import { type BlockId, markerOf } from "./blocks.ts";

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

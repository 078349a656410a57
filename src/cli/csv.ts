import { usage } from "./resolve.ts";

/** The values of a repeatable flag; each occurrence is one CSV record, so `a,b` is two and `"a,b"` is one (cli.md 0). Blank ones are dropped. */
export function csvValues(flag: string, occurrences: readonly string[] | undefined): string[] {
  return (occurrences ?? []).flatMap((record) => csvRecord(flag, record)).map((value) => value.trim()).filter((value) => value !== "");
}

function csvRecord(flag: string, record: string): string[] {
  const values: string[] = [];
  let rest = record;
  for (;;) {
    const quoted = /^\s*"((?:[^"]|"")*)"\s*(?:,|$)/.exec(rest);
    if (quoted === null && rest.trimStart().startsWith('"')) throw usage(`--${flag}: a quote is not closed`);
    const match = quoted ?? /^([^,]*)(?:,|$)/.exec(rest);
    values.push(quoted === null ? (match?.[1] ?? "") : (quoted[1] ?? "").replaceAll('""', '"'));
    const length = match?.[0].length ?? rest.length;
    if (!(match?.[0] ?? "").endsWith(",")) return values;
    rest = rest.slice(length);
  }
}

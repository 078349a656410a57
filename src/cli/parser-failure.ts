import { isMulticaError } from "../lib/core/index.ts";

interface ParserError extends Error {
  readonly args?: readonly unknown[];
  readonly flags?: readonly string[];
  readonly parse?: { readonly input?: { readonly flags?: Record<string, unknown> } };
}

/**
 * One line for an error of the framework's parser, or undefined for any other error. Built from the error's data:
 * the framework's own text has several lines and quotes what was typed, which may be a token (cli.md 6.6).
 */
export function parserFailure(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const known = error as ParserError;
  const inFlag = /^Parsing --([a-z0-9-]+) \n\t([\s\S]*?)(?:\nSee more help with --help)?$/.exec(error.message);
  if (inFlag !== null) return `--${inFlag[1] ?? ""}: ${(inFlag[2] ?? "").split("\n")[0] ?? ""}`;
  if (isMulticaError(error) || !("oclif" in error)) return undefined;
  const name = error.constructor.name;
  if (/RequiredArgsError/.test(name)) return `missing argument: ${argumentNames(known.args).join(", ")}`;
  if (/UnexpectedArgsError/.test(name)) return `unexpected argument: ${(known.args ?? []).map(String).join(", ")}`;
  if (/NonExistentFlagsError/.test(name)) return unknownFlags(known);
  if (!("parse" in error) && !/CLIError/.test(name)) return undefined;
  return tidy(error.message);
}

function argumentNames(args: readonly unknown[] | undefined): string[] {
  return (args ?? []).map((arg) => (typeof arg === "object" && arg !== null && "name" in arg ? `<${String(arg.name)}>` : "<argument>"));
}

function unknownFlags(error: ParserError): string {
  const names = (error.flags ?? []).map((flag) => flag.split("=")[0] ?? flag);
  const known = Object.keys(error.parse?.input?.flags ?? {}).map((flag) => `--${flag}`);
  const near = names.length === 1 ? nearest(names[0] ?? "", known) : undefined;
  return `unknown flag ${names.join(", ")}${near === undefined ? "" : ` (did you mean ${near}?)`}`;
}

/** Drops the framework's headings and help pointer, and any value that stands behind a flag's name. */
function tidy(message: string): string {
  const reasons = message
    // The framework colours its reasons on a terminal.
    .replace(/\u001b\[[0-9;]*m/g, "")
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("The following error") && !line.startsWith("See more help"));
  return reasons
    .map((line) => line.replace(/^Expected (--[a-z0-9-]+)=[\s\S]*? to be one of:/, "$1 must be one of:"))
    .map((line) => line.replace(/^(--[a-z0-9-]+)=[\s\S]*? cannot also/, "$1 cannot also"))
    .map((line) => line.replace(/^Missing required flag (\S+)/, "missing flag --$1"))
    .join("; ");
}

/** The candidate with the smallest edit distance, if it is near enough to be meant. */
function nearest(word: string, candidates: readonly string[]): string | undefined {
  return nearestFew(word, candidates, 1)[0];
}

/** Up to `count` candidates within a third of the word's length, nearest first. */
export function nearestFew(word: string, candidates: readonly string[], count: number): string[] {
  const limit = Math.max(2, Math.ceil(word.length / 3));
  return candidates
    .map((candidate) => ({ candidate, distance: editDistance(word, candidate) }))
    .filter(({ distance }) => distance <= limit)
    .sort((a, b) => a.distance - b.distance || a.candidate.localeCompare(b.candidate))
    .slice(0, count)
    .map(({ candidate }) => candidate);
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + same));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

import type { FlagArity } from "../provider.ts";

export type FlagTable = Readonly<Record<string, FlagArity>>;

export interface Filtered {
  readonly args: string[];
  /** Names of dropped flags, never their values. */
  readonly dropped: string[];
}

/**
 * Removes the flags that the protocol owns from a user's arguments (agents.md 4.2). One layer of quoting is taken off
 * first, for people who paste shell text. In a `prefix` only tokens that look like flags are checked: a fixed argument
 * of a profile may be a subcommand of the same name as an owned one (agents.md 4.3).
 */
export function filterFlags(args: readonly string[], owned: FlagTable, where: "arguments" | "prefix" = "arguments"): Filtered {
  const kept: string[] = [];
  const dropped: string[] = [];
  for (let at = 0; at < args.length; at += 1) {
    const token = unquote(args[at] ?? "");
    const equals = token.indexOf("=");
    const name = equals > 0 ? token.slice(0, equals) : token;
    const arity = where === "prefix" && !looksLikeFlag(token) ? undefined : ownArity(owned, name);
    if (arity === undefined) {
      kept.push(token);
      continue;
    }
    dropped.push(name);
    if (equals > 0 || arity === "s") continue;
    const next = args[at + 1];
    if (next !== undefined && (arity === "v" || !next.startsWith("-"))) at += 1;
  }
  return { args: kept, dropped };
}

/** Names of flags that stand in the prefix and again behind it: there the runtime's own value wins. */
export function repeatedFlags(prefix: readonly string[], later: readonly string[]): string[] {
  const names = new Set(later.filter(looksLikeFlag).map(flagName));
  return [...new Set(prefix.filter(looksLikeFlag).map(flagName))].filter((name) => names.has(name));
}

/** `'…'` and `"…"` around a whole token, or around the value of `--flag=…`, are taken off; anything else stays. */
export function unquote(token: string): string {
  if (isQuoted(token)) return token.slice(1, -1);
  const equals = token.indexOf("=");
  if (token.startsWith("-") && equals > 0) {
    const value = token.slice(equals + 1);
    if (isQuoted(value)) return `${token.slice(0, equals + 1)}${value.slice(1, -1)}`;
  }
  return token;
}

function isQuoted(text: string): boolean {
  const first = text[0];
  return text.length >= 2 && (first === "'" || first === '"') && text.endsWith(first);
}

function looksLikeFlag(token: string): boolean {
  return token.startsWith("-") && token !== "-" && token !== "--";
}

function flagName(token: string): string {
  const equals = token.indexOf("=");
  return equals > 0 ? token.slice(0, equals) : token;
}

function ownArity(owned: FlagTable, name: string): FlagArity | undefined {
  return Object.hasOwn(owned, name) ? owned[name] : undefined;
}

import type { JsonValue } from "./json.ts";

const MARK = "[REDACTED]";
const MAX_DEPTH = 32;
const MIN_NEEDLE = 6;

interface Rule {
  readonly pattern: RegExp;
  readonly replace: string;
}

/**
 * What a secret looks like when nobody told us its value (daemon.md 11.11). Order matters: blocks before their parts.
 * Agents choose the text: no pattern may take more than linear time, so a repetition that can start at every character
 * of what it repeats is bounded.
 */
const RULES: readonly Rule[] = [
  { pattern: /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g, replace: MARK },
  { pattern: /\b(?:AKIA|ASIA)[0-9A-Z]{16}\b/g, replace: MARK },
  { pattern: /\b(aws_secret_access_key\s*[=:]\s*)\S+/gi, replace: `$1${MARK}` },
  { pattern: /\bgh[pousr]_[A-Za-z0-9]{20,}\b/g, replace: MARK },
  { pattern: /\bgithub_pat_[A-Za-z0-9_]{20,}\b/g, replace: MARK },
  { pattern: /\bm(?:ul|at|dt|cn)_[A-Za-z0-9]{16,}\b/g, replace: MARK },
  { pattern: /\bsk-[A-Za-z0-9_-]{16,}\b/g, replace: MARK },
  { pattern: /\bxox[a-z]-[A-Za-z0-9-]{8,}/g, replace: MARK },
  { pattern: /\bxapp-[A-Za-z0-9-]{8,}/g, replace: MARK },
  { pattern: /\bglpat-[A-Za-z0-9_-]{16,}/g, replace: MARK },
  { pattern: /\bAIza[A-Za-z0-9_-]{30,}/g, replace: MARK },
  { pattern: /\b[rs]k_live_[A-Za-z0-9]{12,}/g, replace: MARK },
  { pattern: /\b(Bearer\s+)[A-Za-z0-9._~+/=-]{8,}/gi, replace: `$1${MARK}` },
  { pattern: /\b([a-z][a-z0-9+.-]{0,30}:\/\/[^\s:/@]*:)[^\s@/]+(@)/gi, replace: `$1${MARK}$2` },
  {
    pattern: /\b([A-Za-z0-9_]{0,100}?(?:SECRET|TOKEN|PASSWORD|PASSWD|API_?KEY|PRIVATE_?KEY)[A-Za-z0-9_]{0,100}\s{0,20}=\s{0,20})("[^"\n]*"|'[^'\n]*'|[^\s"'&;]+)/gi,
    replace: `$1${MARK}`,
  },
];

/** A home at the beginning of a path; a directory that is called `home` further down is nobody's name. */
const HOME = /(?<![\w.~-])((?:\/(?:var|export|mnt\/[a-z]))?\/(?:home|Users)\/)[^/\s"'`()<>,;:]+/g;

/** Three or more parts joined by dots: the whole run at once, since a web token may begin within any part of it. */
const DOTTED = /(?<![\w.-])[\w-]+(?:\.[\w-]+){2,}/g;
const TOKEN_HEAD = /(?<![A-Za-z0-9_])eyJ[\w-]{8,}$/;

function withoutWebTokens(run: string): string {
  const parts = run.split(".");
  const result: string[] = [];
  for (let index = 0; index < parts.length; index += 1) {
    const part = parts[index] ?? "";
    const start = part.includes("eyJ") ? part.search(TOKEN_HEAD) : -1;
    const isToken = start !== -1 && (parts[index + 1]?.length ?? 0) >= 8 && (parts[index + 2]?.length ?? 0) >= 8;
    result.push(isToken ? `${part.slice(0, start)}${MARK}` : part);
    if (isToken) index += 2;
  }
  return result.join(".");
}

/**
 * The text with everything that looks like a secret replaced by `[REDACTED]`: for what stays on this machine, its logs and its
 * terminal, where the person needs paths that exist.
 */
export function redactSecrets(text: string): string {
  let result = text.replace(DOTTED, withoutWebTokens);
  for (const rule of RULES) result = result.replace(rule.pattern, rule.replace);
  return result;
}

/** For what leaves this machine: without secrets, and with the user names in home paths masked. */
export function redactText(text: string): string {
  return redactSecrets(text).replace(HOME, "$1***");
}

/** A JSON value with every string in it cleaned; below 32 levels a subtree is replaced as a whole. */
export function redactValue(value: JsonValue, clean: (text: string) => string = redactText, depth = 0): JsonValue {
  if (typeof value === "string") return clean(value);
  if (value === null || typeof value !== "object") return value;
  if (depth >= MAX_DEPTH) return MARK;
  if (Array.isArray(value)) return value.map((item) => redactValue(item, clean, depth + 1));
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, redactValue(item, clean, depth + 1)]));
}

/**
 * Replaces known secrets (at least 6 characters) in a text that arrives in chunks. The result is the same wherever the
 * text was cut: what could still become a needle, or a longer needle than the one found, is held back until more comes.
 */
export class StreamRedactor {
  #needles: string[] = [];
  #pattern: RegExp | undefined;
  #held = "";

  constructor(needles: readonly string[] = []) {
    for (const needle of needles) this.add(needle);
  }

  /** Adds a secret at run time; shorter than 6 characters is ignored, since it would blank out ordinary text. */
  add(needle: string): void {
    if (needle.length < MIN_NEEDLE || this.#needles.includes(needle)) return;
    // Longest first: of two needles that begin at one place the longer one is taken.
    this.#needles = [...this.#needles, needle].sort((a, b) => b.length - a.length);
    this.#pattern = new RegExp(this.#needles.map(escapePattern).join("|"), "g");
  }

  push(text: string): string {
    const whole = this.#held + text;
    const pattern = this.#pattern;
    if (pattern === undefined) return whole;
    const open = this.#openStarts(whole);
    let result = "";
    let at = 0;
    for (;;) {
      const pending = open.find((index) => index >= at) ?? whole.length;
      pattern.lastIndex = at;
      const found = pattern.exec(whole);
      if (found === null || found.index >= pending) {
        this.#held = whole.slice(pending);
        return result + whole.slice(at, pending);
      }
      result += whole.slice(at, found.index) + MARK;
      at = found.index + found[0].length;
    }
  }

  end(): string {
    const rest = this.#pattern === undefined ? this.#held : this.#held.replace(this.#pattern, MARK);
    this.#held = "";
    return rest;
  }

  /** Places in the tail, in order, from which the text is a proper beginning of some needle. */
  #openStarts(text: string): number[] {
    const longest = this.#needles[0]?.length ?? 0;
    const starts: number[] = [];
    for (let index = Math.max(0, text.length - longest + 1); index < text.length; index += 1) {
      const rest = text.slice(index);
      if (this.#needles.some((needle) => needle.length > rest.length && needle.startsWith(rest))) starts.push(index);
    }
    return starts;
  }
}

function escapePattern(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
}

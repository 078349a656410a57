import type { JsonValue } from "./json.ts";

const MARK = "[REDACTED]";
const MAX_DEPTH = 32;
const MIN_NEEDLE = 6;

interface Rule {
  readonly pattern: RegExp;
  readonly replace: string;
}

/** What a secret looks like when nobody told us its value (daemon.md 11.11). Order matters: blocks before their parts. */
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
  { pattern: /\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}/g, replace: MARK },
  { pattern: /\b(Bearer\s+)[A-Za-z0-9._~+/=-]{8,}/gi, replace: `$1${MARK}` },
  { pattern: /\b([a-z][a-z0-9+.-]*:\/\/[^\s:/@]*:)[^\s@/]+(@)/gi, replace: `$1${MARK}$2` },
  {
    pattern: /\b([A-Za-z0-9_]*(?:SECRET|TOKEN|PASSWORD|PASSWD|API_?KEY|PRIVATE_?KEY)[A-Za-z0-9_]*\s*=\s*)("[^"\n]*"|'[^'\n]*'|[^\s"'&;]+)/gi,
    replace: `$1${MARK}`,
  },
  { pattern: /(\/(?:home|Users)\/)[^/\s"'`]+/g, replace: "$1***" },
];

/** The text with everything that looks like a secret replaced by `[REDACTED]`, and user names in home paths masked. */
export function redactText(text: string): string {
  let result = text;
  for (const rule of RULES) result = result.replace(rule.pattern, rule.replace);
  return result;
}

/** A JSON value with every string in it redacted; below 32 levels a subtree is replaced as a whole. */
export function redactValue(value: JsonValue, depth = 0): JsonValue {
  if (typeof value === "string") return redactText(value);
  if (value === null || typeof value !== "object") return value;
  if (depth >= MAX_DEPTH) return MARK;
  if (Array.isArray(value)) return value.map((item) => redactValue(item, depth + 1));
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, redactValue(item, depth + 1)]));
}

/**
 * Replaces known secrets (at least 6 characters) in a text that arrives in chunks: a needle cut by a chunk border
 * is still found, because as much of the tail as could begin a needle is held back until more comes.
 */
export class StreamRedactor {
  #needles: string[] = [];
  #held = "";

  constructor(needles: readonly string[] = []) {
    for (const needle of needles) this.add(needle);
  }

  /** Adds a secret at run time; shorter than 6 characters is ignored, since it would blank out ordinary text. */
  add(needle: string): void {
    if (needle.length < MIN_NEEDLE || this.#needles.includes(needle)) return;
    this.#needles = [...this.#needles, needle].sort((a, b) => b.length - a.length);
  }

  push(text: string): string {
    const whole = this.#replace(this.#held + text);
    const keep = this.#partialTail(whole);
    this.#held = whole.slice(whole.length - keep);
    return whole.slice(0, whole.length - keep);
  }

  end(): string {
    const rest = this.#replace(this.#held);
    this.#held = "";
    return rest;
  }

  #replace(text: string): string {
    let result = text;
    for (const needle of this.#needles) result = result.replaceAll(needle, MARK);
    return result;
  }

  /** Length of the longest tail that is a proper beginning of some needle. */
  #partialTail(text: string): number {
    let longest = 0;
    for (const needle of this.#needles) {
      for (let length = Math.min(needle.length - 1, text.length); length > longest; length -= 1) {
        if (text.endsWith(needle.slice(0, length))) {
          longest = length;
          break;
        }
      }
    }
    return longest;
  }
}

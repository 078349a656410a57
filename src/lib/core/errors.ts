/** Exit codes of every command: one table for the whole product (cli.md 4.7 as amended by decision 4). */
export const EXIT = {
  done: 0,
  failed: 1,
  usage: 2,
  notSignedIn: 3,
  notFound: 4,
  validation: 5,
  unreachable: 6,
  conflict: 7,
  findings: 8,
} as const;

export type Retry = "never" | "later" | "now";

export interface ErrorOptions {
  readonly cause?: unknown;
  /** Exit status a command ends with when this error reaches it; 1 unless given. */
  readonly exit?: number;
  /** What the reader can do next, one sentence each. */
  readonly suggestions?: readonly string[];
  readonly details?: Readonly<Record<string, unknown>>;
  readonly retry?: Retry;
}

const MARK = Symbol.for("multica.error");

/**
 * The only error type the library throws on purpose.
 * Callers recognise it by `code`, never by its text; `suggestions` name the next step.
 */
export class MulticaError extends Error {
  readonly code: string;
  readonly exit: number;
  readonly suggestions: readonly string[];
  readonly details: Readonly<Record<string, unknown>>;
  readonly retry: Retry;
  readonly [MARK] = true;

  constructor(code: string, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "MulticaError";
    this.code = code;
    this.exit = options.exit ?? EXIT.failed;
    this.suggestions = options.suggestions ?? [];
    this.details = options.details ?? {};
    this.retry = options.retry ?? "never";
  }
}

/** True for our own errors, also across module copies; with `code`, only for that one. */
export function isMulticaError(value: unknown, code?: string): value is MulticaError {
  if (typeof value !== "object" || value === null || !(MARK in value)) return false;
  return code === undefined || (value as MulticaError).code === code;
}

/** The message of an error and of its causes as one line, each text once. */
export function errorText(error: unknown): string {
  const parts: string[] = [];
  let current: unknown = error;
  for (let depth = 0; current !== undefined && current !== null && depth < 8; depth += 1) {
    const text = (current instanceof Error ? current.message : String(current)).trim();
    if (text !== "" && !parts.some((part) => part.includes(text))) parts.push(text);
    current = current instanceof Error ? current.cause : undefined;
  }
  return parts.join(": ").replace(/\s*\n\s*/g, " ") || "unknown error";
}

/** The system error code (`ENOENT`, `EADDRINUSE`, …) of an error or of one of its causes. */
export function systemCode(error: unknown): string | undefined {
  let current: unknown = error;
  for (let depth = 0; current instanceof Error && depth < 8; depth += 1) {
    const code = (current as { code?: unknown }).code;
    if (typeof code === "string" && /^E[A-Z0-9]+$/.test(code)) return code;
    current = current.cause;
  }
  return undefined;
}


import { serverCode, serverMessage } from "../lib/api/errors.ts";
import { errorText, EXIT, isMulticaError, MulticaError, redactSecrets, systemCode } from "../lib/core/index.ts";
import { commandWords } from "./failure.ts";
import { parserFailure } from "./parser-failure.ts";

/** What a person and a script are told about a failure (cli.md 4.7, 6.4.5). */
export interface RenderedError {
  readonly kind: string;
  readonly message: string;
  readonly exit: number;
  readonly hints: readonly string[];
  readonly httpStatus?: number;
  readonly code?: string;
}

interface HttpFailure {
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly body: string;
}

/** Turns anything thrown into one message, its class, its exit code and the next step. Secrets never appear. */
export function renderError(error: unknown): RenderedError {
  const usage = parserFailure(error);
  if (usage !== undefined) return { kind: "usage", message: usage, exit: EXIT.usage, hints: helpHint(error) };
  const http = httpFailure(error);
  if (http !== undefined) return renderHttp(http, exitOf(error));
  if (isMulticaError(error)) {
    const hints = error.exit === EXIT.usage ? [...error.suggestions, ...helpHint(error)] : error.suggestions;
    return { kind: kindOf(error.code, error.exit), message: redactSecrets(error.message), exit: error.exit, hints };
  }
  return { kind: "unknown", message: redactSecrets(errorText(error)), exit: EXIT.failed, hints: systemHint(error) };
}

const OWNERS_COMMAND = /multica (?:--profile \S+ )?(?:login|setup|server|daemon start)\b/;

/** The same failure for an agent in a task: a next step that is refused there (cli.md 3.6) becomes one that it can take. */
export function forTask(rendered: RenderedError): RenderedError {
  const step =
    rendered.exit === EXIT.notSignedIn
      ? "The task's own token counts here, and it ends with the task: if the task was cancelled, stop working on it."
      : "It belongs to the machine's owner and may be starting again: try once more in a little while.";
  return { ...rendered, hints: rendered.hints.map((hint) => (OWNERS_COMMAND.test(hint) ? step : hint)) };
}

/** The next step after a refusal of the file system that no command had words for. */
function systemHint(error: unknown): string[] {
  const code = systemCode(error) ?? "";
  if (["EACCES", "EPERM", "EROFS"].includes(code)) return ["Check who may write there; MULTICA_HOME chooses another directory than ~/.multica."];
  return ["ENOSPC", "EDQUOT"].includes(code) ? ["Free some space, then try again."] : [];
}

/** The error as lines for stderr; with `debug`, the whole chain behind it. */
export function errorLines(rendered: RenderedError, error: unknown, debug: boolean): string {
  const lines = [`Error: ${rendered.message}`, ...rendered.hints];
  if (debug) lines.push("", ...debugLines(rendered, error).map((line) => `[debug] ${line}`));
  return `${lines.join("\n")}\n`;
}

/** The document that `--json` adds on stdout when a command fails. */
export function errorDocument(rendered: RenderedError): Record<string, unknown> {
  const { kind, message, exit, hints, httpStatus, code } = rendered;
  return {
    error: {
      kind,
      message,
      exit_code: exit,
      ...(httpStatus === undefined ? {} : { http_status: httpStatus }),
      ...(code === undefined ? {} : { code }),
      ...(hints.length === 0 ? {} : { hint: hints.join(" ") }),
    },
  };
}

/** The same failure under a command's own words: class and exit code still come from the error below. */
export function withMessage(error: unknown, message: string): MulticaError {
  const rendered = renderError(error);
  return new MulticaError(isMulticaError(error) ? error.code : rendered.kind, message, {
    cause: error,
    exit: rendered.exit,
    suggestions: rendered.hints,
  });
}

function renderHttp(http: HttpFailure, exit: number): RenderedError {
  const said = serverMessage(http.body);
  const code = serverCode(http.body);
  const base = { exit, httpStatus: http.status, ...(code === undefined ? {} : { code }) };
  const text = said === undefined ? undefined : redactSecrets(said);
  switch (http.status) {
    case 401:
      return { ...base, kind: "auth_required", message: "not signed in, or the sign-in has expired", hints: ["Run multica login."] };
    case 403:
      return {
        ...base,
        kind: "forbidden",
        message: `no permission${text === undefined ? "" : `: ${text}`}`,
        hints: ["Check the workspace, or ask its administrator."],
      };
    case 404:
      return { ...base, kind: "not_found", message: text ?? "not found", hints: ["Check the id, or look it up with the matching list command."] };
    case 405:
      return { ...base, kind: "not_found", message: "the server does not know this request", hints: ["It may be older than this program."] };
    case 409:
      return {
        ...base,
        kind: "conflict",
        message: `Request conflict: ${text ?? "the state has changed, or the object exists already"}`,
        hints: text === undefined ? ["Fetch it again and retry."] : [],
      };
    case 429:
      return { ...base, kind: "rate_limited", message: "too many requests", hints: ["Wait a while, or call less often."] };
    case 400:
    case 422:
      return {
        ...base,
        kind: "validation",
        message: `Invalid request: ${text ?? "check the values"}`,
        hints: text === undefined ? ["--help shows the expected form."] : [],
      };
    default:
      return http.status >= 500
        ? {
            ...base,
            kind: "server_error",
            message: "the server is temporarily unavailable",
            hints: ["Try again later; --debug shows what it answered."],
          }
        : { ...base, kind: "unknown", message: text ?? `the server answered with status ${http.status}`, hints: [] };
  }
}

const KINDS: Readonly<Record<number, string>> = {
  [EXIT.usage]: "usage",
  [EXIT.notSignedIn]: "auth_required",
  [EXIT.notFound]: "not_found",
  [EXIT.validation]: "validation",
  [EXIT.unreachable]: "network_offline",
  [EXIT.conflict]: "conflict",
  130: "interrupted",
  143: "interrupted",
};

function kindOf(code: string, exit: number): string {
  return code.startsWith("network_") ? code : (KINDS[exit] ?? "unknown");
}

/** The answer behind an error, also when a command put its own message over it. Recognised by shape: bundles copy classes. */
function httpFailure(error: unknown): HttpFailure | undefined {
  if (!isMulticaError(error, "http_status")) return undefined;
  const candidate: Partial<HttpFailure> = error as Partial<HttpFailure>;
  const { method, path, status, body } = candidate;
  return typeof status === "number" ? { method: method ?? "", path: path ?? "", status, body: body ?? "" } : undefined;
}

function exitOf(error: unknown): number {
  return isMulticaError(error) ? error.exit : EXIT.failed;
}

function helpHint(error: unknown): string[] {
  const words = commandWords(error);
  return [`See multica ${words === undefined ? "" : `${words} `}--help.`];
}

function debugLines(rendered: RenderedError, error: unknown): string[] {
  const lines = [`kind: ${rendered.kind}`];
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < 8; at = at.cause, depth += 1) {
    const http = httpFailure(at);
    lines.push(http === undefined ? `${at.name}: ${at.message}` : `${http.method} ${http.path} → ${http.status}: ${http.body}`);
  }
  if (error instanceof Error && !isMulticaError(error)) lines.push(...(error.stack ?? "").split("\n").slice(1));
  return lines.flatMap((line) => redactSecrets(line).split("\n"));
}

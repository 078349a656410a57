import { EXIT, MulticaError, errorText, isObject, parseJson, systemCode } from "../core/index.ts";

const BODY_LIMIT = 4096;

/** A server answered with a status of 400 or more. `body` is its text, cut at 4096 characters (server-api.md 3.2). */
export class RequestError extends MulticaError {
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly body: string;
  /** How long the server asks to be left alone, from its Retry-After header. */
  readonly retryAfterMs: number | null;

  constructor(method: string, path: string, status: number, body: string, retryAfterMs: number | null = null) {
    const text = body.slice(0, BODY_LIMIT).trim();
    super("http_status", `${method} ${path} returned ${status}: ${text}`, {
      exit: exitOfStatus(status),
      retry: transientStatus(status) ? "later" : "never",
    });
    this.name = "RequestError";
    this.method = method;
    this.path = path;
    this.status = status;
    this.body = text;
    this.retryAfterMs = retryAfterMs;
  }
}

export type NetworkKind = "network_timeout" | "network_dns" | "network_refused" | "network_tls" | "network_offline";

const ADVICE: Readonly<Record<NetworkKind, { text: string; next: string }>> = {
  network_timeout: {
    text: "the server did not answer in time",
    next: "Check the network, or raise the limit with MULTICA_HTTP_TIMEOUT.",
  },
  network_dns: { text: "the server's address cannot be resolved", next: "Check the network or --server-url." },
  network_refused: {
    text: "cannot connect to the server",
    next: "Check that the address is right and that the server runs (`multica server start` starts the embedded one).",
  },
  network_tls: { text: "no secure connection to the server", next: "Check the clock and the CA certificates of this machine." },
  network_offline: { text: "the server cannot be reached", next: "Check the network and try again." },
};

/** No answer came: the kind tells why; exit 6, may be retried (cli.md 4.7). */
export function networkError(method: string, path: string, origin: string, cause: unknown): MulticaError {
  const kind = networkKind(cause);
  return new MulticaError(kind, `${ADVICE[kind].text} (${origin})`, {
    cause,
    exit: EXIT.unreachable,
    suggestions: [ADVICE[kind].next],
    details: { method, path },
    retry: "later",
  });
}

function networkKind(cause: unknown): NetworkKind {
  const name = cause instanceof Error ? cause.name : "";
  const code = systemCode(cause) ?? "";
  const text = errorText(cause);
  if (name === "TimeoutError" || code === "ETIMEDOUT" || /timed? ?out/i.test(text)) return "network_timeout";
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") return "network_dns";
  if (code === "ECONNREFUSED") return "network_refused";
  if (/certificate|self.signed|TLS|SSL/i.test(text)) return "network_tls";
  return "network_offline";
}

function exitOfStatus(status: number): number {
  if (status === 401 || status === 403) return EXIT.notSignedIn;
  // A path that does not know the method belongs to a server that is older than we are (cli.md 4.12).
  if (status === 404 || status === 405) return EXIT.notFound;
  if (status === 400 || status === 422) return EXIT.validation;
  if (status === 409) return EXIT.conflict;
  return EXIT.failed;
}

function transientStatus(status: number): boolean {
  return status >= 500 || status === 408 || status === 429;
}

/** May be tried again: every failure without an answer, 5xx, 408, 429 (server-api.md 3.3). */
export function isTransient(error: unknown): boolean {
  return error instanceof RequestError ? transientStatus(error.status) : true;
}

export function isStatus(error: unknown, status: number): error is RequestError {
  return error instanceof RequestError && error.status === status;
}

function isMissing(error: unknown, text: string): boolean {
  return isStatus(error, 404) && error.body.toLowerCase().includes(text);
}

/** The 404s with recovery semantics (server-api.md 3.3): matched on their text, because bare 404s mean an old server. */
export const isRuntimeNotFound = (error: unknown): boolean => isMissing(error, "runtime not found");
export const isTaskNotFound = (error: unknown): boolean => isMissing(error, "task not found");

const MACHINE_CODE = /^[a-z0-9_.-]+$/;

/**
 * The sentence a server put into an error body: prose of `error`, `message`, `detail`, `title`, in that order;
 * a bare machine code only when there is nothing else; undefined for HTML and other text (cli.md 4.7).
 */
export function serverMessage(body: string): string | undefined {
  const parsed = parseJson(body);
  if (!isObject(parsed)) return undefined;
  let code: string | undefined;
  for (const key of ["error", "message", "detail", "title"]) {
    const value = parsed[key];
    if (typeof value !== "string" || value.trim() === "") continue;
    if (!MACHINE_CODE.test(value.trim())) return value.trim();
    code ??= value.trim();
  }
  return code;
}

/** The machine-readable `code` of an error body, if the server sent one. */
export function serverCode(body: string): string | undefined {
  const parsed = parseJson(body);
  return isObject(parsed) && typeof parsed["code"] === "string" ? parsed["code"] : undefined;
}

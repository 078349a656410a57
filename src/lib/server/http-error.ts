/**
 * An answer that is not the happy one: `{"error": message, "code"?: code, …extra}` with `status` (server-api.md 1.2).
 * Thrown anywhere below a route; inside a transaction it also rolls back. Anything else that is thrown is a 500.
 */
export class HttpError extends Error {
  readonly status: number;
  readonly code: string | undefined;
  readonly extra: Readonly<Record<string, unknown>>;

  constructor(status: number, message: string, options: { code?: string; extra?: Readonly<Record<string, unknown>>; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "HttpError";
    this.status = status;
    this.code = options.code;
    this.extra = options.extra ?? {};
  }
}

/** 404 with the text `<thing> not found`. */
export function notFound(thing: string): HttpError {
  return new HttpError(404, `${thing} not found`);
}

/** 400 with the text as it stands. */
export function badRequest(message: string): HttpError {
  return new HttpError(400, message);
}

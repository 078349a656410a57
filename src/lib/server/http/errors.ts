import { errorText } from "../../core/index.ts";
import { isBusy, sqliteCode } from "../../platform/index.ts";
import type { ServerContext } from "../context.ts";
import { HttpError } from "../http-error.ts";
import { json } from "./respond.ts";

/**
 * The one place where a thrown error becomes an answer. Store failures are 500 or 503, never a 404:
 * daemons delete work on the 404 texts (server-api.md 2.3, embedded-server.md).
 */
export function errorResponse(ctx: ServerContext, error: unknown, request: { method: string; path: string }): Response {
  const answer = httpErrorOf(error);
  if (answer.status >= 500) {
    ctx.logger.error("request failed", { ...request, status: answer.status, error: errorText(error) });
  }
  const { code, extra } = answer;
  return json({ error: answer.message, ...(code === undefined ? {} : { code }), ...extra }, answer.status);
}

/** What a thrown error is to the one who asked. */
export function httpErrorOf(error: unknown): HttpError {
  if (error instanceof HttpError) return error;
  if (isBusy(error)) return new HttpError(503, "the database is busy, try again", { cause: error });
  if (sqliteCode(error) === 13) return new HttpError(500, "the disk is full", { cause: error });
  return new HttpError(500, "internal server error", { cause: error });
}

import { errorText, isMulticaError, parseJson } from "../../../core/index.ts";
import type { Clock } from "../../../platform/index.ts";
import type { Logger } from "../../../platform/logger.ts";
import type { HomePlaces, IndexHandle, StateFinding, StateHandle } from "../../../state/index.ts";
import { type LocalContext, plain } from "../access.ts";
import type { Jobs } from "./jobs.ts";

/** What the routes need of the daemon; asked at each request, because the files open late and may go away. */
export interface StatePort {
  readonly state: StateHandle | null;
  readonly index: IndexHandle | null;
  readonly places: HomePlaces;
  /** Why the outbox sends nothing. */
  readonly paused: "away" | "auth" | null;
  /** Reads the whole state file somewhere else than in this thread; null without one. */
  readonly checkState: ((full: boolean) => Promise<StateFinding[]>) | null;
  readonly jobs: Jobs;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Codes of mistakes of the one who asks, and what they are over HTTP. */
const STATUS: Readonly<Record<string, number>> = { usage: 400, ambiguous_thread: 400, thread_not_found: 404, job_not_found: 404, index_away: 503, index_not_ready: 503, unknown_home: 409 };

/**
 * Runs a route for the person who runs the daemon, and for nobody else: what people said to their agents is behind these
 * routes (state-db.md 19, 21). A failure is one line of text with its code.
 */
export async function forOperator(c: LocalContext, port: StatePort, route: (c: LocalContext, port: StatePort) => Promise<Response>): Promise<Response> {
  const { kind } = c.get("caller");
  if (kind === "none") return refusal(401, "unauthorised", "token required");
  if (kind === "task") return refusal(403, "task_context", "not for tasks");
  try {
    return await route(c, port);
  } catch (error) {
    const code = isMulticaError(error) ? error.code : "internal";
    const status = STATUS[code] ?? 500;
    if (status === 500) port.logger.error("state request failed", { path: c.req.path, error: errorText(error) });
    const details = isMulticaError(error) ? error.suggestions : [];
    return refusal(status, code, errorText(error), details);
  }
}

/** `suggestions` go along as a header: the client shows them as its own. */
function refusal(status: number, code: string, text: string, suggestions: readonly string[] = []): Response {
  const headers = { "X-Multica-Code": code, ...(suggestions.length === 0 ? {} : { "X-Multica-Next": encodeURIComponent(JSON.stringify(suggestions)) }) };
  return plain(text.replaceAll(/\s+/g, " "), status, headers);
}

interface Parser<T> {
  safeParse(value: unknown): { success: true; data: T } | { success: false };
}

/** The request's document, or null when it is not one (400) or not declared as JSON, which is what a web page could send. */
export async function bodyOf<T>(c: LocalContext, schema: Parser<T>): Promise<T | null> {
  if (!/^application\/json\b/i.test(c.req.header("content-type") ?? "")) return null;
  const result = schema.safeParse(parseJson(await c.req.text()));
  return result.success ? result.data : null;
}

export const badBody = (): Response => refusal(400, "usage", "the body is not what this route takes");

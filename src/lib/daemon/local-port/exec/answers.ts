import type { ServerResponse } from "node:http";
import type { YieldOptions } from "../../../exec/index.ts";
import type { LocalContext } from "../access.ts";
import type { ExecCaller } from "./access.ts";

/** The signal of a request: aborted when its caller goes away, which ends a wait and nothing else. */
function signalOf(c: LocalContext): AbortSignal {
  return c.req.raw.signal;
}

/** How long and how much; only an operator may ask for an answer at once. */
export function waitOf(caller: ExecCaller, clampedMs: number, body: { yield_ms?: number | undefined; max_output_tokens?: number | undefined }): YieldOptions {
  return {
    yieldMs: body.yield_ms === 0 && caller.task === null ? 0 : clampedMs,
    signal: signalOf(caller.c),
    ...(body.max_output_tokens === undefined ? {} : { maxOutputTokens: body.max_output_tokens }),
  };
}

/**
 * Does `then` when the whole answer has been handed to the system: a connection that is cut before repeats its output
 * at the next read instead of losing it (exec-sessions.md 18.3).
 */
export function afterSent(c: LocalContext, response: Response, then: () => void): Response {
  const outgoing = (c.env as { outgoing?: ServerResponse } | undefined)?.outgoing;
  if (outgoing === undefined) then();
  else outgoing.once("finish", then);
  return response;
}

import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { YieldOptions } from "../../../exec/index.ts";
import { type Clock, withTimeout } from "../../../platform/index.ts";
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

/** An answer that was sent, and of which it is not known yet whether it arrived. */
interface UnderWay {
  readonly settled: Promise<void>;
  settle(arrived: boolean): void;
}

const byProcess = new Map<string, UnderWay>();
const bySocket = new WeakMap<Socket, UnderWay>();
const ARRIVAL_MS = 250;

/**
 * Does `then` when the whole answer has arrived: a connection that is cut before repeats its output at the next read instead
 * of losing it (exec-sessions.md 18.3). What was written is in the system's buffers long before it is read, so what happens
 * next decides: a connection that is cut with something unread is reset; one that ends in order, or asks again, has read it.
 */
export function afterArrival(c: LocalContext, response: Response, process: string, then: () => void): Response {
  const outgoing = outgoingOf(c);
  const socket = outgoing?.socket ?? undefined;
  if (outgoing === undefined || socket === undefined) {
    then();
    return response;
  }
  const { promise, resolve } = Promise.withResolvers<void>();
  let open = true;
  const onClose = (hadError: boolean): void => answer.settle(outgoing.writableFinished && !hadError);
  const answer: UnderWay = {
    settled: promise,
    settle(arrived) {
      if (!open) return;
      open = false;
      // The connection may serve many more.
      socket.off("close", onClose);
      if (arrived) then();
      if (byProcess.get(process) === answer) byProcess.delete(process);
      resolve();
    },
  };
  byProcess.set(process, answer);
  bySocket.set(socket, answer);
  socket.once("close", onClose);
  return response;
}

/** The next request on a connection: what was answered there before has been read. */
export function askedAgain(c: LocalContext): void {
  const socket = outgoingOf(c)?.socket ?? undefined;
  if (socket !== undefined) bySocket.get(socket)?.settle(true);
}

/** The next read of a process begins where the last answer ends; one whose caller is still there after a moment has arrived. */
export async function arrived(clock: Clock, process: string): Promise<void> {
  const last = byProcess.get(process);
  if (last === undefined) return;
  await withTimeout(clock, ARRIVAL_MS, "an answer to arrive", last.settled).catch(() => undefined);
  last.settle(true);
}

function outgoingOf(c: LocalContext): ServerResponse | undefined {
  return (c.env as { outgoing?: ServerResponse } | undefined)?.outgoing;
}

import { RequestError } from "../../api/index.ts";
import type { DaemonApi } from "../../api/daemon-api.ts";
import { errorText, parseJson } from "../../core/index.ts";
import { type Clock, deadline } from "../../platform/index.ts";
import type { Logger } from "../../platform/logger.ts";
import { type TaskMessage, isTerminalState } from "../../wire/index.ts";
import { cutBytes } from "../task/cut.ts";
import { type Entry, type Lane, isTerminal } from "./lane.ts";
import { type Verdict, verdictOf } from "./verdict.ts";

export type OutboxApi = Pick<DaemonApi, "messages" | "readMessages" | "session" | "usage" | "complete" | "fail" | "status" | "me">;

export interface DeliverParts {
  readonly api: OutboxApi;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Limit of one request. */
const REQUEST_MS = 30_000;
/** What is left of a single message that is too large for the server. */
const CUT_BYTES = 64 * 1024;

/** Makes one attempt to deliver an entry. Never rejects; `body` is the entry's JSON, null when it cannot be read. */
export async function deliver(parts: DeliverParts, lane: Lane, entry: Entry, body: string | null): Promise<Verdict> {
  const limit = deadline(parts.clock, REQUEST_MS);
  const options = { signal: limit.signal, timeoutMs: REQUEST_MS };
  try {
    if (entry.kind === "messages") return await sendMessages(parts, lane, entry, body ?? "", options);
    if (entry.state === "ambiguous" && isTerminal(entry)) {
      // Repeating it would be harmless, but the server is not made to judge the same ending twice.
      const state = await parts.api.status(lane.id, options);
      if (isTerminalState(state)) return { kind: "done", state };
    }
    return await call(parts.api, lane.id, entry, body ?? "", options);
  } catch (error) {
    return verdictOf(entry.kind, error);
  } finally {
    limit.done();
  }
}

type CallOptions = { readonly signal: AbortSignal; readonly timeoutMs: number };

const DAMAGED = "the text of this result was damaged in the daemon's state file";

async function call(api: OutboxApi, taskId: string, entry: Entry, body: string, options: CallOptions): Promise<Verdict> {
  // How a task ended is known without the text that says what came of it.
  const words = entry.kind === "complete" ? { output: DAMAGED } : entry.kind === "fail" ? { error: DAMAGED } : undefined;
  const parsed = (parseJson(body) ?? words) as never;
  if (parsed === undefined) return unreadable(entry);
  switch (entry.kind) {
    case "session":
      await api.session(taskId, parsed, options);
      return { kind: "done" };
    case "usage":
      await api.usage(taskId, parsed, options);
      return { kind: "done" };
    case "complete":
      return { kind: "done", state: (await api.complete(taskId, parsed, options)).status };
    default:
      return { kind: "done", state: (await api.fail(taskId, parsed, options)).status };
  }
}

/**
 * Messages are not idempotent: what may have arrived is compared with the server's transcript first, and only the numbers
 * it lacks are sent (state-db.md 17.1.4).
 */
async function sendMessages(parts: DeliverParts, lane: Lane, entry: Entry, body: string, options: CallOptions): Promise<Verdict> {
  const all = parseJson(body) as unknown as TaskMessage[] | undefined;
  if (!Array.isArray(all)) return unreadable(entry);
  if (entry.state === "ambiguous") {
    const present = await presentNumbers(parts, lane, options);
    if (present === null) return { kind: "done" };
    lane.present = present;
  }
  const { present } = lane;
  const missing = present === null ? all : all.filter((message) => !present.has(message.seq));
  const some = entry.chunk === null ? missing : missing.slice(0, entry.chunk);
  if (some.length > 0) {
    const sent = entry.cut ? some.map(cutMessage) : some;
    await parts.api.messages(lane.id, sent, options);
    for (const message of some) present?.add(message.seq);
  }
  const rest = missing.slice(some.length);
  const [next] = rest;
  return next === undefined ? { kind: "done" } : { kind: "part", rest: JSON.stringify(rest), restFrom: next.seq };
}

function unreadable(entry: Entry): Verdict {
  return { kind: "refused", status: 0, error: `the body of this ${entry.kind} report cannot be read from the state file` };
}

/** The numbers the server has beyond those it acknowledged; null when it cannot tell: then the batch counts as sent. */
async function presentNumbers(parts: DeliverParts, lane: Lane, options: CallOptions): Promise<Set<number> | null> {
  try {
    const rows = await parts.api.readMessages(lane.id, lane.ackedSeq, options);
    return new Set(rows.map((row) => row.seq));
  } catch (error) {
    const unknown = error instanceof RequestError && (error.status === 405 || (error.status === 404 && !/task not found/i.test(error.body)));
    if (!unknown) throw error;
    parts.logger.warn("the server does not show a task's messages; a batch that may have arrived counts as sent", { task: lane.id, error: errorText(error) });
    return null;
  }
}

function cutMessage(message: TaskMessage): TaskMessage {
  return {
    ...message,
    ...(message.content === undefined ? {} : { content: cutBytes(message.content, CUT_BYTES) }),
    ...(message.output === undefined ? {} : { output: cutBytes(message.output, CUT_BYTES) }),
    ...(message.input === undefined || JSON.stringify(message.input).length <= CUT_BYTES ? {} : { input: { truncated: true } }),
  };
}

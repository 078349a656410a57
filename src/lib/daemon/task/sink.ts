import { TERMINAL_WAITS_MS, errorText } from "../../core/index.ts";
import { isTaskNotFound, isTransient } from "../../api/index.ts";
import { type Clock, deadline } from "../../platform/index.ts";
import type { Logger } from "../../platform/logger.ts";
import type { CancelAck, CompleteRequest, FailRequest, TaskMessage, TaskRow, UsageRow } from "../../wire/index.ts";

export type TerminalReport =
  | { readonly kind: "complete"; readonly taskId: string; readonly body: CompleteRequest }
  | { readonly kind: "fail"; readonly taskId: string; readonly body: FailRequest }
  | { readonly kind: "cancel_ack"; readonly taskId: string; readonly body: CancelAck };

export type IntendedReport = Exclude<TerminalReport, { kind: "cancel_ack" }>;

export type TerminalAnswer =
  /** `state` is the row's status afterwards: another one than expected means the server had decided before. */
  | { readonly kind: "accepted"; readonly state: string }
  /** The server will never take it. */
  | { readonly kind: "rejected"; readonly error: unknown }
  /** The task was deleted. */
  | { readonly kind: "gone" }
  /** It is written down and will be delivered, whatever dies in between. */
  | { readonly kind: "queued" }
  /** Nobody answered in all the time there was: the server still believes the task runs. */
  | { readonly kind: "undelivered"; readonly error: unknown };

/** A place in the log of an agent under an exec host. */
export interface LogMark {
  /** Record. */
  readonly seq: number;
  /** Messages of the process that are in the batches so far, and characters of the last one that are not. */
  readonly message: number;
  readonly held: number;
}

/**
 * Where a task's reports go. The stages know nothing else of the way to the server, so that the durable outbox can take
 * this place. Calls of one task come in order: messages, session, usage, terminal. Nothing here rejects.
 */
export interface ReportSink {
  /** True when a report is on disk once its call has returned, and its delivery is somebody else's work. */
  readonly durable: boolean;
  /**
   * Resolves when the batches were delivered or given up; a durable sink's, when they are written down, all of them at once
   * and together with the place in the agent's log that they came from.
   */
  messages(taskId: string, batches: readonly (readonly TaskMessage[])[], mark?: LogMark | null): Promise<void>;
  /** The resume pointer, as early as it is known. */
  session(taskId: string, pin: { readonly session_id: string; readonly work_dir: string }): Promise<void>;
  usage(taskId: string, rows: readonly UsageRow[]): Promise<void>;
  /**
   * Writes down how the task will end, before anything else happens: `terminal` sends it, possibly with more in it, and so
   * does the next start of the daemon when this one dies before that. Only a durable sink does anything here.
   */
  intend(report: IntendedReport, usage: readonly UsageRow[]): void;
  /** Takes that back: the server had ended the task itself. */
  withdraw(taskId: string): void;
  terminal(report: TerminalReport): Promise<TerminalAnswer>;
}

/** The part of the server's API that reports need. */
export interface ReportApi {
  messages(taskId: string, messages: readonly TaskMessage[], options?: { signal?: AbortSignal }): Promise<void>;
  session(taskId: string, body: { session_id?: string; work_dir?: string }, options?: { signal?: AbortSignal }): Promise<void>;
  usage(taskId: string, usage: readonly UsageRow[], options?: { signal?: AbortSignal }): Promise<void>;
  complete(taskId: string, body: CompleteRequest, options?: { signal?: AbortSignal }): Promise<TaskRow>;
  fail(taskId: string, body: FailRequest, options?: { signal?: AbortSignal }): Promise<TaskRow>;
  cancelAck(taskId: string, body: CancelAck, options?: { signal?: AbortSignal }): Promise<void>;
}

const MESSAGES_MS = 5000;
const SESSION_MS = 5000;
const CALL_MS = 30_000;
/** All attempts of one terminal report together (server-api.md 3.1). */
const TERMINAL_BUDGET_MS = 6 * 60_000;

interface SinkOptions {
  readonly api: ReportApi;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Sends every report at once and keeps nothing. No call derives from the daemon's own signal: a shutdown must not cut
 * a result off. Terminal reports are tried six times over two minutes, and only after transient errors.
 */
export function createDirectSink(options: SinkOptions): ReportSink {
  const { api, clock, logger } = options;
  const once = async (ms: number, what: string, level: "debug" | "warn", call: (signal: AbortSignal) => Promise<void>): Promise<void> => {
    const limit = deadline(clock, ms);
    try {
      await call(limit.signal);
    } catch (error) {
      logger[level](what, { error: errorText(error) });
    } finally {
      limit.done();
    }
  };
  return {
    durable: false,
    intend: () => undefined,
    withdraw: () => undefined,
    async messages(taskId, batches) {
      for (const batch of batches) {
        await once(MESSAGES_MS, "a batch of task messages was lost", "debug", (signal) => api.messages(taskId, batch, { signal }));
      }
    },
    session: (taskId, pin) => once(SESSION_MS, "session could not be pinned", "debug", (signal) => api.session(taskId, pin, { signal })),
    usage: (taskId, rows) => once(CALL_MS, "usage could not be reported", "warn", (signal) => api.usage(taskId, rows, { signal })),
    terminal: (report) => deliver(options, report),
  };
}

async function deliver(options: SinkOptions, report: TerminalReport): Promise<TerminalAnswer> {
  const { clock, logger } = options;
  const budget = deadline(clock, TERMINAL_BUDGET_MS);
  try {
    for (let attempt = 0; ; attempt += 1) {
      const answer = await send(options, report, budget.signal);
      if (answer.kind !== "undelivered") return answer;
      const wait = TERMINAL_WAITS_MS[attempt];
      if (wait === undefined || budget.expired()) return answer;
      logger.warn("terminal report not delivered yet", { report: report.kind, attempt: attempt + 1, next_ms: wait, error: errorText(answer.error) });
      try {
        await clock.sleep(wait, budget.signal);
      } catch {
        return answer;
      }
    }
  } finally {
    budget.done();
  }
}

async function send({ api, clock }: SinkOptions, report: TerminalReport, budget: AbortSignal): Promise<TerminalAnswer> {
  const limit = deadline(clock, CALL_MS, budget);
  const { signal } = limit;
  try {
    switch (report.kind) {
      case "complete":
        return { kind: "accepted", state: (await api.complete(report.taskId, report.body, { signal })).status };
      case "fail":
        return { kind: "accepted", state: (await api.fail(report.taskId, report.body, { signal })).status };
      case "cancel_ack":
        await api.cancelAck(report.taskId, report.body, { signal });
        return { kind: "accepted", state: "cancelled" };
    }
  } catch (error) {
    if (isTaskNotFound(error)) return { kind: "gone" };
    return isTransient(error) ? { kind: "undelivered", error } : { kind: "rejected", error };
  } finally {
    limit.done();
  }
}

import type { Clock } from "../../platform/index.ts";
import type { Logger } from "../../platform/logger.ts";
import type { TaskPatch } from "../../state/index.ts";
import { type ReportApi, type ReportSink, type TerminalReport, createDirectSink } from "../task/sink.ts";
import { flushTask } from "./flush.ts";
import type { Outbox } from "./outbox.ts";

/** How long the last words of a cancelled run may hold its acknowledgement up; the server waits for 60 s. */
const LAST_WORDS_MS = 10_000;

/**
 * The durable way of a task's reports: each call returns when the report is written down. Only the acknowledgement of a
 * cancellation is sent at once and kept nowhere: it says nothing that could be lost.
 */
export function createOutboxSink(outbox: Outbox, options: { readonly api: ReportApi; readonly clock: Clock; readonly logger: Logger }): ReportSink {
  const direct = createDirectSink(options);
  const ending = (report: TerminalReport & { kind: "complete" | "fail" }): TaskPatch => ({
    phase: "reporting",
    terminal_kind: report.kind,
    ended_at_ms: options.clock.now(),
  });
  let toldUsage = "";
  return {
    durable: true,
    messages: (taskId, batches, mark = null) => {
      const reports = batches.flatMap((batch) => {
        const [first, last] = [batch[0]?.seq, batch.at(-1)?.seq];
        return first === undefined || last === undefined ? [] : [{ kind: "messages" as const, body: batch, seqs: { first, last } }];
      });
      const last = reports.at(-1)?.seqs.last;
      if (last === undefined) return Promise.resolve();
      const place = mark === null ? {} : { log_seq: mark.seq, log_message: mark.message, log_held: mark.held };
      outbox.add(taskId, reports, { task: { next_seq: last + 1, ...place }, placed: mark !== null });
      return Promise.resolve();
    },
    session: (taskId, pin) => {
      outbox.add(taskId, [{ kind: "session", body: pin }]);
      return Promise.resolve();
    },
    usage: (taskId, rows) => {
      outbox.add(taskId, [{ kind: "usage", body: rows }], { durable: true });
      return Promise.resolve();
    },
    intend: (report, usage) => {
      // An ending may be written down twice, the second time with more in it; usage goes out while the ending is held.
      const text = JSON.stringify(usage);
      const before = usage.length === 0 || text === toldUsage ? [] : [{ kind: "usage" as const, body: usage }];
      toldUsage = text;
      outbox.add(report.taskId, [...before, { kind: report.kind, body: report.body }], { durable: true, held: true, task: ending(report) });
    },
    withdraw: (taskId) => outbox.withdraw(taskId),
    terminal: async (report) => {
      if (report.kind === "cancel_ack") {
        outbox.withdraw(report.taskId);
        // With it the server takes the run's words for complete: those of a conversation become its answer.
        await flushTask(outbox, options.clock, report.taskId, LAST_WORDS_MS);
        return await direct.terminal(report);
      }
      const task = ending(report);
      if (!outbox.release(report.taskId, report.kind, report.body, task)) outbox.add(report.taskId, [report], { durable: true, task });
      return { kind: "queued" };
    },
  };
}

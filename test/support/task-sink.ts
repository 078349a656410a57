import type { ReportSink, TerminalAnswer, TerminalReport } from "../../src/lib/daemon/task/sink.ts";
import type { TaskMessage } from "../../src/lib/wire/index.ts";

export type SinkCall =
  | { readonly what: "messages"; readonly batch: readonly TaskMessage[] }
  | { readonly what: "session" | "usage"; readonly body: unknown }
  | { readonly what: "terminal"; readonly report: TerminalReport };

/** A sink that keeps what it is given, in order; `before` may hold a call back. */
export function recordingSink(before: (what: SinkCall["what"]) => Promise<void> = () => Promise.resolve()): ReportSink & { readonly calls: SinkCall[] } {
  const calls: SinkCall[] = [];
  const take = async (call: SinkCall): Promise<void> => {
    await before(call.what);
    calls.push(call);
  };
  return {
    calls,
    durable: false,
    intend: () => undefined,
    withdraw: () => undefined,
    messages: async (_task, batches) => {
      for (const batch of batches) await take({ what: "messages", batch });
    },
    session: (_task, body) => take({ what: "session", body }),
    usage: (_task, body) => take({ what: "usage", body }),
    terminal: async (report): Promise<TerminalAnswer> => {
      await take({ what: "terminal", report });
      return { kind: "accepted", state: "completed" };
    },
  };
}

import { errorText } from "../core/index.ts";
import { currentPid, processIdentity } from "../platform/index.ts";
import type { Daemon } from "./assemble.ts";
import type { DaemonContext } from "./context.ts";
import { readPid } from "./files.ts";
import { flushAll, outboxFacts } from "./outbox/flush.ts";

/** Waits for the tasks inside the pipeline; what is still there at the limit is left to orphan recovery. */
export async function drainTasks(daemon: Pick<Daemon, "dispatcher" | "ctx">, limitMs: number): Promise<void> {
  if (await daemon.dispatcher.drain(limitMs)) return;
  daemon.ctx.logger.warn("timed out waiting for in-flight tasks", { tasks: daemon.dispatcher.size });
}

/** Sends what waits, at most for `ms`; what cannot be sent now is delivered by the next start (state-db.md 17). */
export async function deliverReports(ctx: Pick<DaemonContext, "outbox" | "clock" | "logger">, ms: number): Promise<void> {
  const { outbox, clock, logger } = ctx;
  if (outbox === null || (await flushAll(outbox, clock, ms))) return;
  const { waiting, results } = outboxFacts(outbox);
  logger.warn("reports wait for the next start of the daemon", { reports: waiting, results });
}

/**
 * Takes all runtimes offline on the server: detached from the root signal, with its own limit (daemon.md 1.3).
 * Not when a successor has taken over: it has registered the same ids, and our late call would take them offline.
 * Not those that another profile's daemon serves too (`servedElsewhere`): it goes on with them.
 * `handsOver`: the next daemon goes on with running agents, whose runtimes stay as they are.
 */
export async function deregisterAll(ctx: DaemonContext, handsOver: boolean, servedElsewhere: () => Promise<ReadonlySet<string>>): Promise<void> {
  const kept = new Set(handsOver ? (ctx.state?.listTasks({ phase: "running" }) ?? []).flatMap((task) => (task.agent_host === null ? [] : [task.runtime_id])) : []);
  const others = await servedElsewhere();
  const ids = ctx.runtimes.ids().filter((id) => !kept.has(id) && !others.has(id));
  if (ids.length === 0) return;
  const successor = readPid(ctx.stateDir);
  if (successor !== undefined && successor !== currentPid() && processIdentity(successor) !== null) {
    ctx.logger.info("a successor is running; runtimes stay registered", { pid: successor });
    return;
  }
  try {
    await ctx.api.deregister(ids, { timeoutMs: ctx.limits.deregisterTimeout });
    ctx.logger.info("deregistered runtimes", { count: ids.length });
  } catch (error) {
    ctx.logger.warn("deregistering runtimes failed", { error: errorText(error) });
  }
}

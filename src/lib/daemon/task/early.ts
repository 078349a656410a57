import type { Terminal, UsageMap } from "../../agents/index.ts";
import { reportOf } from "./report.ts";
import { addUsage } from "./retry.ts";
import type { TaskRun } from "./run.ts";
import { settle } from "./settle.ts";
import { usageRows } from "./usage.ts";

/** What a first attempt left that was repeated without its session. */
export interface Earlier {
  readonly usage: UsageMap;
  /** The session that was given up. */
  readonly sessionId: string;
}

/**
 * Writes a success down when the agent has said it, before its pipes and its process are waited for: a daemon that dies in
 * that time must not have the work done again (state-db.md 17). The run's own ending replaces it. What is no success
 * is left to that ending: a task that is repeated for nothing is better than one that is closed wrongly.
 */
export function intendSuccess(run: TaskRun, success: Terminal, facts: { readonly codexHome: string | undefined; readonly earlier: Earlier | undefined }): void {
  const { task, job, known } = run;
  const outcome = settle({ status: success.status, output: success.output, error: success.error }, { provider: job.provider, shuttingDown: false, timeoutMs: 0 });
  if (outcome.kind !== "completed") return;
  // A Codex session counts once its file was seen, which is when it is pinned.
  const seen = facts.codexHome === undefined || known.sessionId === success.sessionId;
  const early = { ...known, sessionId: seen ? success.sessionId : "", ...(facts.earlier === undefined ? {} : { retiredSessionId: facts.earlier.sessionId }) };
  const usage = facts.earlier === undefined ? success.usage : addUsage(facts.earlier.usage, success.usage);
  run.sink.intend(reportOf({ task, known: early }, outcome), usageRows(job.provider, usage));
  // The chaos run reads this line: from here on nothing may have the work done again.
  run.logger.info("agent succeeded, its ending is written down");
}

import { errorText } from "../../core/index.ts";
import { isFinalExecState } from "../../wire/index.ts";
import { taskThread } from "../exec/threads.ts";
import type { TaskRun } from "./run.ts";

/**
 * Loads the threads of a task: its conversation, and the agent's own session when one is resumed. What was parked there is
 * attached again (exec-sessions.md 15). Trouble with processes is no reason not to work.
 */
export async function beginThreads(run: TaskRun): Promise<void> {
  const { ctx, logger } = run;
  const { exec } = ctx;
  if (exec === null) return;
  for (const threadId of threadsOf(run)) {
    try {
      const { reattached_count: reattached, skipped_process_ids: skipped } = await ctx.threads.begin(exec, threadId);
      run.releases.add("thread of processes", endOnce(run, threadId));
      if (reattached > 0 || skipped.length > 0) logger.info("processes attached again", { thread: threadId, reattached, skipped });
    } catch (error) {
      logger.warn("the thread of the task's processes could not be opened", { thread: threadId, error: errorText(error) });
    }
  }
}

/** Parks what survives the task and ends the rest; afterwards nothing of the threads writes into the environment. */
export async function endThreads(run: TaskRun): Promise<void> {
  for (const end of enders.get(run) ?? []) await end();
}

const enders = new WeakMap<TaskRun, (() => Promise<void>)[]>();

function endOnce(run: TaskRun, threadId: string): () => Promise<void> {
  let ended: Promise<void> | null = null;
  const end = (): Promise<void> => (ended ??= endThread(run, threadId));
  enders.set(run, [...(enders.get(run) ?? []), end]);
  return end;
}

async function endThread(run: TaskRun, threadId: string): Promise<void> {
  const { exec, threads } = run.ctx;
  if (exec === null) return;
  try {
    const parked = await threads.end(exec, threadId);
    if (parked > 0) run.logger.info("processes stay for the next task", { thread: threadId, processes: parked });
  } catch (error) {
    run.logger.warn("the thread of the task's processes could not be closed", { thread: threadId, error: errorText(error) });
  }
}

function threadsOf({ task }: TaskRun): string[] {
  const conversation = taskThread({ taskId: task.id, agentId: task.agent_id, issueId: task.issue_id, chatSessionId: task.chat_session_id });
  const session = task.prior_session_id ?? "";
  return /^[A-Za-z0-9._:-]{1,160}$/.test(session) ? [conversation, `session:${session}`] : [conversation];
}

/** What the agent is told about the processes of its conversation that run; empty when there are none. */
export function processNotice(run: TaskRun): string {
  const [threadId] = threadsOf(run);
  if (run.ctx.exec === null || threadId === undefined) return "";
  const alive = run.ctx.exec.list({ threadId }).filter((record) => !isFinalExecState(record.state));
  if (alive.length === 0) return "";
  const lines = alive.map((record) => {
    const label = record.label === null ? "" : ` (${oneLine(record.label, 40)})`;
    return `- \`${record.process_id}\`${label}: \`${oneLine(record.command, 120)}\`, running since ${record.started_at ?? "?"}`;
  });
  return [
    "## Processes that still run",
    "These commands of earlier runs of yours on this issue are alive and attached to you again:",
    lines.join("\n"),
    "`multica exec read <id>` shows what one printed since you last looked, `multica exec write <id> …` types into it, `multica exec kill <id>` ends it.",
  ].join("\n\n");
}

/** A command line may hold anything: on one line, without what would end the quotation. */
function oneLine(text: string, limit: number): string {
  const line = text.replace(/[\s`\p{Cc}]+/gu, " ").trim();
  return line.length <= limit ? line : `${line.slice(0, limit - 1)}…`;
}

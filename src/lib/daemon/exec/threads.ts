import { KeyedMutex, isUuid } from "../../core/index.ts";
import type { ExecService, ReattachSummary } from "../../exec/index.ts";
import type { StateReader } from "../../state/index.ts";

/** What decides to which conversation a task belongs. */
export interface ThreadFacts {
  readonly taskId: string;
  readonly agentId: string;
  readonly issueId?: string | null | undefined;
  readonly chatSessionId?: string | null | undefined;
}

/** The thread of a task's processes: the conversation, which outlives the task, or the task itself (exec-sessions.md 14). */
export function taskThread(facts: ThreadFacts): string {
  if (facts.issueId) return `conv:${facts.agentId}:${facts.issueId}`;
  if (facts.chatSessionId) return `conv:${facts.agentId}:chat_${facts.chatSessionId}`;
  return `task:${facts.taskId}`;
}

/** How a caller names a thread; nothing at all = the operator's own. */
export interface ThreadRef {
  readonly thread_id?: string | undefined;
  readonly task_id?: string | undefined;
  readonly issue_id?: string | undefined;
}

export type ResolvedThread =
  | { readonly kind: "thread"; readonly threadId: string }
  | { readonly kind: "unknown"; readonly text: string }
  | { readonly kind: "ambiguous"; readonly text: string };

const OPERATOR_THREAD = "op:default";

interface LookUp {
  readonly exec: Pick<ExecService, "list">;
  readonly state: Pick<StateReader, "getTask" | "listTasks"> | null;
  /** Threads of tasks that run now. */
  readonly open: readonly string[];
}

/** Finds the thread that an operator means. A bare UUID is a task, else an agent's session (exec-sessions.md 14). */
export function resolveThread(ref: ThreadRef, parts: LookUp): ResolvedThread {
  if (ref.task_id !== undefined) return known(taskRow(parts, ref.task_id), `no task ${ref.task_id} is known here`);
  if (ref.issue_id !== undefined) return issueThread(ref.issue_id, parts);
  const text = ref.thread_id ?? OPERATOR_THREAD;
  if (!isUuid(text)) return { kind: "thread", threadId: text };
  const row = taskRow(parts, text) ?? sessionRow(parts, text);
  return { kind: "thread", threadId: row ?? `session:${text}` };
}

function known(threadId: string | undefined, text: string): ResolvedThread {
  return threadId === undefined ? { kind: "unknown", text } : { kind: "thread", threadId };
}

function taskRow({ state }: LookUp, taskId: string): string | undefined {
  const row = state?.getTask(taskId) ?? undefined;
  return row === undefined ? undefined : threadOfRow(row);
}

function sessionRow({ state }: LookUp, sessionId: string): string | undefined {
  const row = state?.listTasks().find((task) => task.session_id === sessionId);
  return row === undefined ? undefined : threadOfRow(row);
}

function threadOfRow(row: { task_id: string; agent_id: string; issue_id: string | null; chat_session_id: string | null }): string {
  return taskThread({ taskId: row.task_id, agentId: row.agent_id, issueId: row.issue_id, chatSessionId: row.chat_session_id });
}

/** One agent's conversation about an issue; when several agents have processes there, the caller must say which. */
function issueThread(issueId: string, { exec, open }: LookUp): ResolvedThread {
  const all = [...open, ...exec.list().map((record) => record.thread_id)];
  const found = [...new Set(all.filter((thread) => thread.startsWith("conv:") && thread.endsWith(`:${issueId}`)))].sort();
  const [first, second] = found;
  if (first === undefined) return { kind: "unknown", text: `no conversation about issue ${issueId} has processes here` };
  if (second === undefined) return { kind: "thread", threadId: first };
  return { kind: "ambiguous", text: `several conversations are about that issue: ${found.join(", ")}` };
}

/** The threads of running tasks. Two tasks of one conversation share its thread: it ends with the last of them. */
export class TaskThreads {
  readonly #users = new Map<string, number>();
  readonly #mutex = new KeyedMutex();

  get open(): readonly string[] {
    return [...this.#users.keys()];
  }

  begin(exec: ExecService, threadId: string): Promise<ReattachSummary> {
    return this.#mutex.run(threadId, async () => {
      const users = this.#users.get(threadId) ?? 0;
      this.#users.set(threadId, users + 1);
      return users > 0 ? { reattached_count: 0, skipped_count: 0, skipped_process_ids: [] } : exec.openThread(threadId);
    });
  }

  /** Resolves when what does not survive the thread has ended. Answers how many processes were parked. */
  end(exec: ExecService, threadId: string): Promise<number> {
    return this.#mutex.run(threadId, async () => {
      const users = (this.#users.get(threadId) ?? 1) - 1;
      if (users > 0) {
        this.#users.set(threadId, users);
        return 0;
      }
      this.#users.delete(threadId);
      return (await exec.closeThread(threadId)).detached.process_count;
    });
  }
}

import { readRegularFile, writeFileAtomic } from "../platform/index.ts";
import { isObject, parseJson } from "../core/index.ts";
import { refuseLinkedRoot } from "./confined.ts";
import { envPaths } from "./layout.ts";
import { type TaskContext, filled } from "./types.ts";

export interface GcMeta {
  readonly kind: "issue" | "chat" | "autopilot_run" | "quick_create";
  readonly issue_id?: string;
  readonly chat_session_id?: string;
  readonly autopilot_run_id?: string;
  readonly task_id?: string;
  readonly workspace_id: string;
  /** The task worked in a user's directory in place: the collector keeps the root. */
  readonly local_directory?: true;
  /** UTC. */
  readonly completed_at: string;
}

/**
 * Writes `.gc_meta.json`, the last file of a task: written after the result was reported, so that a crash before it
 * leaves an orphan and never something the collector takes for finished (execenv.md 15.1). False: the task has no
 * parent object to ask about, so nothing was written.
 */
export async function writeGcMeta(input: {
  root: string;
  workspaceId: string;
  taskId: string;
  task: TaskContext;
  nowMs: number;
  localDirectory?: boolean;
}): Promise<boolean> {
  const parent = parentOf(input.task, input.taskId);
  if (input.root === "" || parent === undefined) return false;
  refuseLinkedRoot(input.root);
  const meta: GcMeta = { ...parent, workspace_id: input.workspaceId, ...(input.localDirectory === true ? { local_directory: true } : {}), completed_at: new Date(input.nowMs).toISOString() };
  await writeFileAtomic(envPaths(input.root).gcMeta, `${JSON.stringify(meta)}\n`);
  return true;
}

/** The meta file of a root; a missing `kind` reads as `issue`. Undefined when there is none or it does not parse. */
export async function readGcMeta(root: string): Promise<GcMeta | undefined> {
  const value: unknown = parseJson((await readRegularFile(envPaths(root).gcMeta))?.toString("utf8") ?? "");
  if (!isObject(value)) return undefined;
  return { kind: "issue", ...value } as GcMeta;
}

type Parent = Pick<GcMeta, "kind" | "issue_id" | "chat_session_id" | "autopilot_run_id" | "task_id">;

function parentOf(task: TaskContext, taskId: string): Parent | undefined {
  if (filled(task.chatSessionId)) return { kind: "chat", chat_session_id: task.chatSessionId };
  if (task.autopilot !== undefined) return { kind: "autopilot_run", autopilot_run_id: task.autopilot.runId };
  if (filled(task.issueId)) return { kind: "issue", issue_id: task.issueId };
  // The issue does not exist yet: the collector asks about the task.
  if (filled(task.quickCreatePrompt)) return { kind: "quick_create", task_id: taskId };
  return undefined;
}

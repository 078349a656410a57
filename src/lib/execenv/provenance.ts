import { isObject, parseJson } from "../core/index.ts";
import { readRegularFile, writeFileAtomic } from "../platform/index.ts";
import { envPaths } from "./layout.ts";
import { type TaskContext, filled } from "./types.ts";

const MANAGED_BY = "multica-daemon-managed-env";

/**
 * Writes `.managed_env.json`: the proof that this root was made for one agent and one conversation, which a later task
 * must match to continue in it (execenv.md 6.1). Tasks without issue and chat get none: nothing can continue them.
 */
export async function writeProvenance(root: string, workspaceId: string, task: TaskContext): Promise<void> {
  if (!filled(task.agentId) || (!filled(task.issueId) && !filled(task.chatSessionId))) return;
  const body = {
    managed_by: MANAGED_BY,
    workspace_id: workspaceId,
    ...(filled(task.issueId) ? { issue_id: task.issueId } : {}),
    ...(filled(task.chatSessionId) ? { chat_session_id: task.chatSessionId } : {}),
    agent_id: task.agentId,
  };
  const path = envPaths(root).managed;
  const text = `${JSON.stringify(body, null, 2)}\n`;
  if ((await readRegularFile(path))?.toString("utf8") !== text) await writeFileAtomic(path, text);
}

/** True when the root's provenance names this workspace, agent and conversation. */
export async function provenanceMatches(root: string, workspaceId: string, task: TaskContext): Promise<boolean> {
  const value = await readProvenance(root);
  if (value === undefined) return false;
  if (value["workspace_id"] !== workspaceId || value["agent_id"] !== task.agentId) return false;
  return sameConversation(task, value["issue_id"], value["chat_session_id"]);
}

/** The provenance of a root; undefined when it is missing, unreadable or foreign. */
export async function readProvenance(root: string): Promise<Readonly<Record<string, unknown>> | undefined> {
  const value: unknown = parseJson((await readRegularFile(envPaths(root).managed))?.toString("utf8") ?? "");
  return isObject(value) && value["managed_by"] === MANAGED_BY ? value : undefined;
}

/** The issue decides; only without an issue does the chat session. */
export function sameConversation(task: TaskContext, issueId: unknown, chatSessionId: unknown): boolean {
  if (filled(task.issueId)) return issueId === task.issueId;
  return filled(task.chatSessionId) && chatSessionId === task.chatSessionId;
}

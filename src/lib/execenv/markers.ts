import { join } from "node:path";
import { MulticaError, isMulticaError, isObject, parseJson } from "../core/index.ts";
import { ensureDir, realPathIfExists } from "../platform/index.ts";
import { lookConfined, readConfined, writeConfined } from "./confined.ts";
import { MARKER } from "./layout.ts";
import { type TaskContext, filled } from "./types.ts";

const MARKER_OWNER = "multica-daemon-task";

export interface MarkerIds {
  readonly agentId: string;
  readonly issueId: string;
  readonly chatSessionId: string;
}

/**
 * Writes `.multica/daemon_task_context.json` into the workdir, the first file of every task: from then on the CLI
 * takes credentials only from the task's environment (execenv.md 8.1). An equal file is left alone;
 * a foreign or unreadable one is `marker_foreign`.
 */
export async function writeTaskMarker(workdir: string, task: TaskContext): Promise<void> {
  const wanted = renderTaskMarker(task);
  const present = await readConfined(workdir, MARKER);
  if (present === wanted) return;
  if (present !== undefined && parseMarker(present) === undefined) {
    throw new MulticaError("marker_foreign", `${join(workdir, MARKER)} exists and was not written by this product`);
  }
  await writeConfined(workdir, MARKER, wanted);
}

/** The text of a task's marker. */
export function renderTaskMarker(task: TaskContext): string {
  const body = {
    managed_by: MARKER_OWNER,
    ...(filled(task.agentId) ? { agent_id: task.agentId } : {}),
    ...(filled(task.issueId) ? { issue_id: task.issueId } : {}),
    ...(filled(task.chatSessionId) ? { chat_session_id: task.chatSessionId } : {}),
  };
  return `${JSON.stringify(body, null, 2)}
`;
}

/** The ids in a workdir's task marker; undefined when it is missing, unreadable or foreign. */
export async function readTaskMarker(workdir: string): Promise<MarkerIds | undefined> {
  const text = await readConfined(workdir, MARKER).catch(() => undefined);
  return text === undefined ? undefined : parseMarker(text);
}

/**
 * Makes sure that the workspaces root has its guard marker, which catches processes that lost their environment and
 * climbed out of their workdir (execenv.md 8.2). A torn file is rewritten.
 * Throws `marker_foreign` for a directory or somebody else's file: callers warn and go on.
 */
export async function restoreRootMarker(workspacesRoot: string): Promise<void> {
  const state = await isRootMarkerOurs(workspacesRoot);
  if (state === "ours") return;
  if (state === "foreign") throw new MulticaError("marker_foreign", `${join(workspacesRoot, MARKER)} was not written by this product`);
  await ensureDir(workspacesRoot);
  await writeConfined(realPathIfExists(workspacesRoot) ?? workspacesRoot, MARKER, `${JSON.stringify({ managed_by: MARKER_OWNER }, null, 2)}\n`);
}

/** What the workspaces root's guard marker is, without touching it. What is no regular file, or behind a link, is foreign. */
export async function isRootMarkerOurs(workspacesRoot: string): Promise<"ours" | "foreign" | "missing"> {
  const base = realPathIfExists(workspacesRoot);
  if (base === undefined) return "missing";
  try {
    const facts = await lookConfined(base, MARKER);
    if (facts === undefined) return "missing";
    if (!facts.isFile()) return "foreign";
    const value: unknown = parseJson((await readConfined(base, MARKER)) ?? "");
    if (value === undefined) return "missing";
    return isObject(value) && value["managed_by"] === MARKER_OWNER ? "ours" : "foreign";
  } catch (error) {
    if (isMulticaError(error, "env_symlinked")) return "foreign";
    throw error;
  }
}

function parseMarker(text: string): MarkerIds | undefined {
  const value: unknown = parseJson(text);
  if (!isObject(value) || value["managed_by"] !== MARKER_OWNER) return undefined;
  const id = (key: string): string => (typeof value[key] === "string" ? value[key] : "");
  return { agentId: id("agent_id"), issueId: id("issue_id"), chatSessionId: id("chat_session_id") };
}

/** True for the text of a marker that this product wrote. */
export function isOwnMarker(text: string): boolean {
  return parseMarker(text) !== undefined;
}

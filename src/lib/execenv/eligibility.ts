import { stat } from "node:fs/promises";
import { dirname, relative, sep } from "node:path";
import { pathExists, realPathIfExists } from "../platform/index.ts";
import { ENTRY, envPaths } from "./layout.ts";
import { readGcMeta } from "./gc-meta.ts";
import { readTaskMarker } from "./markers.ts";
import { provenanceMatches, sameConversation } from "./provenance.ts";
import { type TaskContext, filled } from "./types.ts";

export interface EligibleRoot {
  readonly root: string;
  readonly workdir: string;
}

/**
 * The env root behind a prior workdir if this task may continue in it, else why not (execenv.md 6.1). Any mismatch only
 * means a fresh environment; nothing is written here.
 */
export async function findEligibleRoot(input: {
  workspacesRoot: string;
  workspaceId: string;
  priorWorkDir: string;
  task: TaskContext;
}): Promise<EligibleRoot | { readonly reason: string }> {
  const place = await findPlace(input);
  if ("reason" in place) return place;
  if (!filled(input.task.agentId)) return { reason: "the task names no agent" };
  if (!filled(input.task.issueId) && !filled(input.task.chatSessionId)) return { reason: "the task belongs to no issue and no chat" };
  if (!(await belongsHere(place.root, input.workspaceId, input.task))) return { reason: "it was made for another conversation" };
  const marker = await readTaskMarker(place.workdir);
  if (marker === undefined) return { reason: "the workdir has no task marker" };
  if (marker.agentId !== input.task.agentId || !sameConversation(input.task, marker.issueId, marker.chatSessionId)) {
    return { reason: "the workdir's marker names another conversation" };
  }
  return place;
}

/** The real path must be exactly `{root}/{workspace}/{segment}/workdir`, a directory, links resolved on both sides. */
async function findPlace(input: { workspacesRoot: string; workspaceId: string; priorWorkDir: string }): Promise<EligibleRoot | { reason: string }> {
  if (input.priorWorkDir.trim() === "") return { reason: "there is no prior workdir" };
  const workdir = realPathIfExists(input.priorWorkDir);
  const base = realPathIfExists(input.workspacesRoot);
  if (workdir === undefined || base === undefined) return { reason: "the prior workdir does not exist" };
  if (!(await stat(workdir)).isDirectory()) return { reason: "the prior workdir is not a directory" };
  const segments = relative(base, workdir).split(sep);
  const [workspace, segment, last] = segments;
  const shaped = segments.length === 3 && workspace === input.workspaceId && last === ENTRY.workdir && segment !== undefined;
  if (!shaped || segment.startsWith(".")) return { reason: "the prior workdir is no environment of this workspace" };
  return { root: dirname(workdir), workdir };
}

/** Environments of earlier releases have no provenance file: an agreeing meta file stands for it once. */
async function belongsHere(root: string, workspaceId: string, task: TaskContext): Promise<boolean> {
  if (await pathExists(envPaths(root).managed)) return provenanceMatches(root, workspaceId, task);
  const meta = await readGcMeta(root);
  return meta !== undefined && meta.workspace_id === workspaceId && sameConversation(task, meta.issue_id, meta.chat_session_id);
}

import { join } from "node:path";
import { sha256Hex } from "../../core/index.ts";
import { lookConfined, readConfined, writeConfined } from "../confined.ts";
import type { TaskContext } from "../types.ts";
import { renderIssueContext } from "./issue-context.ts";
import { renderResources } from "./resources.ts";

/** Path below the workdir → SHA-256 of our text. */
export type ContextHashes = Readonly<Record<string, string>>;

/**
 * Brings the task's context files up to date and returns the hashes of what is ours now. A file that exists and is not,
 * byte for byte, what we wrote last is somebody's: it is left alone, the brief carries the same facts (execenv.md 8.3, 8.4).
 */
export async function writeContextFiles(workdir: string, task: TaskContext, previous: ContextHashes): Promise<ContextHashes> {
  const ours: Record<string, string> = {};
  for (const [path, text] of wantedFiles(task)) {
    const hash = await writeOwnFile(workdir, path, text, previous[path]);
    if (hash !== undefined) ours[path] = hash;
  }
  return ours;
}

/** Path below the workdir and text of every context file that this task has. */
export function wantedFiles(task: TaskContext): [string, string][] {
  const files: [string, string][] = [[join(".agent_context", "issue_context.md"), renderIssueContext(task)]];
  const resources = renderResources(task.project);
  if (resources !== undefined) files.push([join(".multica", "project", "resources.json"), resources]);
  return files;
}

async function writeOwnFile(workdir: string, path: string, text: string, known: string | undefined): Promise<string | undefined> {
  const wanted = sha256Hex(text);
  if ((await lookConfined(workdir, path)) !== undefined) {
    const present = await readConfined(workdir, path);
    const hash = present === undefined ? undefined : sha256Hex(present);
    if (hash === undefined || hash !== known) return undefined;
    if (hash === wanted) return wanted;
  }
  await writeConfined(workdir, path, text);
  return wanted;
}

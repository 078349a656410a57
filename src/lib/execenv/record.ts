import { isObject, parseJson } from "../core/index.ts";
import { readRegularFile, writeFileAtomic } from "../platform/index.ts";
import { envPaths } from "./layout.ts";

export interface CodexRecord {
  readonly shared_home: string;
  readonly cli_version: string;
  readonly sessions_mode: "shared" | "isolated";
  readonly session_store: string | null;
  /** What the home was made with, so that healing from another shell does not turn it over. */
  readonly sandbox_mode?: "workspace-write" | "danger-full-access";
  readonly multi_agent?: boolean;
  readonly memory?: boolean;
  readonly disabled_skills?: readonly string[];
}

/** `.multica_env.json`: what commands need to know about an environment when no daemon runs (execenv.md 4.4). */
export interface EnvRecord {
  readonly v: 1;
  readonly workspace_id: string;
  readonly task_id: string;
  /** The task that prepared or reused it last. */
  readonly last_task_id: string;
  readonly issue_id: string;
  readonly chat_session_id: string;
  readonly agent_id: string;
  readonly agent_name: string;
  readonly provider: string;
  readonly created_at: string;
  readonly last_used_at: string;
  /** The user's directory it works in; null for an environment of our own. */
  readonly local_work_dir: string | null;
  /** `shared`: it works in a user's directory and has put nothing there. */
  readonly execution_mode: "managed" | "in_place" | "worktree" | "shared";
  readonly codex?: CodexRecord;
  /** Path below the workdir → SHA-256 of what we wrote last: tells our own text from one that was edited since. */
  readonly context_files: Readonly<Record<string, string>>;
  /** Directory names, in the provider's skills directory, that are ours to replace and remove. */
  readonly skills?: readonly string[];
}

/** The record of an env root, or undefined when there is none or it does not parse. */
export async function readRecord(root: string): Promise<EnvRecord | undefined> {
  // Never through a link: an agent could have put one there.
  const text = (await readRegularFile(envPaths(root).record))?.toString("utf8");
  const value: unknown = text === undefined ? undefined : parseJson(text);
  if (!isObject(value) || value["v"] !== 1 || typeof value["last_task_id"] !== "string") return undefined;
  const files = value["context_files"];
  const record = { ...(value as unknown as EnvRecord), context_files: isObject(files) ? (files as Record<string, string>) : {} };
  return { ...record, skills: slugsOf(value["skills"]) };
}

export async function writeRecord(root: string, record: EnvRecord): Promise<void> {
  await writeFileAtomic(envPaths(root).record, `${JSON.stringify(record, null, 2)}\n`, { mode: 0o600 });
}

/** An agent can write the record, and what it names here is removed: only names that we could have given count. */
function slugsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((slug): slug is string => typeof slug === "string" && /^[a-z0-9]+(?:-[a-z0-9]+)*$/.test(slug)) : [];
}

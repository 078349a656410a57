import { join } from "node:path";
import { errorText, MulticaError } from "../core/index.ts";
import { type FileLock, chmodPath } from "../platform/index.ts";
import { ensureConfinedDir, lookConfined } from "./confined.ts";
import { type ContextHashes, writeContextFiles } from "./context/files.ts";
import { type HomeResult, buildProviderHome } from "./homes.ts";
import { ENTRY, envPaths } from "./layout.ts";
import { enterLocalDirectory } from "./local/enter.ts";
import { writeTaskMarker } from "./markers.ts";
import { providerFiles } from "./providers.ts";
import { type EnvRecord, writeRecord } from "./record.ts";
import { type PlacedSkill, syncSkills } from "./skills/index.ts";
import type { Environment, InstalledSkills, PrepareInput } from "./types.ts";

/**
 * Steps that fresh and reused environments have in common; each writes only what is missing or differs, and nothing
 * behind a link that somebody planted. `local` is where a task in a user's directory works: there, or in its worktree.
 */
export async function furnish(root: string, input: PrepareInput, previous: EnvRecord | undefined, local?: string): Promise<Furnished> {
  const directories = [ENTRY.output, ENTRY.logs, ...(local === undefined ? [ENTRY.workdir] : [])];
  for (const directory of directories) await ensureConfinedDir(root, directory);
  await ensureConfigRoot(root);
  let record = recordOf(input, previous);
  let placed: readonly PlacedSkill[] = [];
  if (local === undefined) await writeTaskMarker(envPaths(root).workdir, input.task);
  else {
    // First: whoever finds something of ours in the user's directory looks for the record that names it.
    await writeRecord(root, record);
    placed = await enterLocalDirectory(root, local, input);
  }
  if (local === undefined) record = { ...record, context_files: await contextFiles(root, input, previous) };
  const home = await buildProviderHome(root, input);
  record = { ...record, ...(home.codexRecord === undefined ? {} : { codex: home.codexRecord }) };
  const { skills } = providerFiles(input.provider);
  // Those in a user's directory are sidecars: they are there already, and none of them is ours to replace later.
  if (skills === null || local === undefined) {
    placed = await syncOwnSkills(root, input, record, previous);
    record = { ...record, skills: placed.map((skill) => skill.slug) };
  }
  await writeRecord(root, record);
  return { home, workdir: local ?? envPaths(root).workdir, skills: { directory: skills ?? "$CODEX_HOME/skills", placed } };
}

/** In a continued environment the agent may have made them unwritable; the brief carries the same facts. */
async function contextFiles(root: string, input: PrepareInput, previous: EnvRecord | undefined): Promise<ContextHashes> {
  const known = previous?.context_files ?? {};
  try {
    return await writeContextFiles(envPaths(root).workdir, input.task, known);
  } catch (error) {
    if (previous === undefined) throw error;
    input.logger.warn("context files not refreshed", { path: root, error: errorText(error) });
    return known;
  }
}

/** Brings the agent's skills to where it looks for them. */
async function syncOwnSkills(root: string, input: PrepareInput, record: EnvRecord, previous: EnvRecord | undefined): Promise<PlacedSkill[]> {
  const { skills } = providerFiles(input.provider);
  return syncSkills({
    ...(skills === null ? { base: root, directory: `${ENTRY.codexHome}/skills` } : { base: envPaths(root).workdir, directory: skills }),
    skills: input.task.skills ?? [],
    own: previous?.skills ?? [],
    claim: (slugs) => writeRecord(root, { ...record, skills: slugs }),
  });
}

interface Furnished {
  readonly workdir: string;
  readonly home: HomeResult;
  readonly skills: InstalledSkills;
}

export function environmentOf(root: string, input: PrepareInput, lock: FileLock, { home, workdir, skills }: Furnished, reused: boolean): Environment {
  const paths = envPaths(root);
  const shared = input.sharedWorkDir;
  return {
    root,
    workdir: shared ?? workdir,
    ...(home.codexHome === undefined ? {} : { codexHome: home.codexHome }),
    ...(home.shell === undefined ? {} : { shell: home.shell }),
    env: { MULTICA_TASK_CONFIG_ROOT: paths.config, MULTICA_TASK_WORKSPACES_ROOT: input.workspacesRoot, ...home.env },
    reused,
    localDirectory: input.localWorkDir !== undefined,
    sharedDirectory: shared !== undefined,
    // Seen from the user's directory, a path below the env root's own workdir leads nowhere.
    skills: shared === undefined || skills.directory.startsWith("$") ? skills : { ...skills, directory: join(workdir, skills.directory) },
    lock,
    release: () => lock.release(),
  };
}

/** The task's own configuration root holds its credentials' place: never readable by others. */
async function ensureConfigRoot(root: string): Promise<void> {
  await ensureConfinedDir(root, ENTRY.config, 0o700);
  const facts = await lookConfined(root, ENTRY.config);
  if (facts !== undefined && (facts.mode & 0o777) !== 0o700) await chmodPath(envPaths(root).config, 0o700);
}

function recordOf(input: PrepareInput, previous: EnvRecord | undefined): EnvRecord {
  const now = new Date(input.now()).toISOString();
  return {
    v: 1,
    workspace_id: input.workspaceId,
    task_id: previous?.task_id ?? input.taskId,
    last_task_id: input.taskId,
    issue_id: input.task.issueId ?? "",
    chat_session_id: input.task.chatSessionId ?? "",
    agent_id: input.task.agentId ?? "",
    agent_name: input.task.agentName ?? "",
    provider: input.provider,
    created_at: previous?.created_at ?? now,
    last_used_at: now,
    local_work_dir: input.localWorkDir ?? null,
    execution_mode: executionMode(input),
    ...(previous?.codex === undefined ? {} : { codex: previous.codex }),
    context_files: previous?.context_files ?? {},
    skills: previous?.skills ?? [],
  };
}

function executionMode(input: PrepareInput): EnvRecord["execution_mode"] {
  if (input.sharedWorkDir !== undefined) return "shared";
  if (input.localWorkDir === undefined) return "managed";
  return input.worktree === undefined ? "in_place" : "worktree";
}

/** Throws `env_input` naming the first of the three ids that is empty. */
export function checkInput(input: PrepareInput): void {
  const required: [string, string][] = [
    ["workspaces root", input.workspacesRoot],
    ["workspace id", input.workspaceId],
    ["task id", input.taskId],
  ];
  const missing = required.find(([, value]) => value === "");
  if (missing !== undefined) throw new MulticaError("env_input", `cannot prepare an environment: the ${missing[0]} is empty`);
}

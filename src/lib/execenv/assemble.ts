import { MulticaError } from "../core/index.ts";
import { type FileLock, chmodPath, ensureDir, pathExists } from "../platform/index.ts";
import { writeContextFiles } from "./context/files.ts";
import { type HomeResult, buildProviderHome } from "./homes.ts";
import { type EnvPaths, envPaths } from "./layout.ts";
import { writeTaskMarker } from "./markers.ts";
import { type EnvRecord, writeRecord } from "./record.ts";
import type { Environment, PrepareInput } from "./types.ts";

/** Steps that fresh and reused environments have in common; each writes only what is missing or differs. */
export async function furnish(root: string, input: PrepareInput, previous: EnvRecord | undefined): Promise<HomeResult> {
  const paths = envPaths(root);
  for (const directory of [paths.output, paths.logs, paths.workdir]) await ensureDir(directory);
  await ensureConfigRoot(paths);
  await writeTaskMarker(paths.workdir, input.task);
  const hashes = await writeContextFiles(paths.workdir, input.task, previous?.context_files ?? {});
  const home = await buildProviderHome(root, input);
  await writeRecord(root, recordOf(input, previous, hashes, home));
  return home;
}

export function environmentOf(root: string, input: PrepareInput, lock: FileLock, home: HomeResult, reused: boolean): Environment {
  const paths = envPaths(root);
  return {
    root,
    workdir: paths.workdir,
    ...(home.codexHome === undefined ? {} : { codexHome: home.codexHome }),
    env: { MULTICA_TASK_CONFIG_ROOT: paths.config, MULTICA_TASK_WORKSPACES_ROOT: input.workspacesRoot, ...home.env },
    reused,
    lock,
    release: () => lock.release(),
  };
}

/** The task's own configuration root holds its credentials' place: never readable by others. */
async function ensureConfigRoot(paths: EnvPaths): Promise<void> {
  if (!(await pathExists(paths.config))) await ensureDir(paths.config, 0o700);
  else await chmodPath(paths.config, 0o700);
}

function recordOf(input: PrepareInput, previous: EnvRecord | undefined, hashes: EnvRecord["context_files"], home: HomeResult): EnvRecord {
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
    local_work_dir: null,
    execution_mode: "managed",
    ...(home.codexRecord === undefined ? {} : { codex: home.codexRecord }),
    context_files: hashes,
  };
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

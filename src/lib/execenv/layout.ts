import { join } from "node:path";
import { taskKey } from "../core/index.ts";

/** Names inside an env root; other products read some of them, so they are wire format (execenv.md 1). */
export const ENTRY = {
  workdir: "workdir",
  output: "output",
  logs: "logs",
  codexHome: "codex-home",
  config: "multica-config",
  gcMeta: ".gc_meta.json",
  managed: ".managed_env.json",
  record: ".multica_env.json",
  owner: ".task_owner",
  lock: ".task_lock",
} as const;

/** Files that only say who owns and who holds a root: a root with nothing else in it is empty. */
export function isBookkeeping(name: string): boolean {
  // The lock's holder file and its temporary form begin with the lock's name.
  return name === ENTRY.owner || name === ENTRY.lock || name.startsWith(`${ENTRY.lock}.`) || name.startsWith(`.${ENTRY.owner}.`);
}

/** Relative path of the task marker in a workdir, and of the guard marker in the workspaces root. */
export const MARKER = join(".multica", "daemon_task_context.json");

/**
 * The env root a fresh task will get: `{root}/{workspace id}/{task key}`; empty when any input is empty.
 * No I/O: callers mark the directory active before it exists (execenv.md 2).
 */
export function predictEnvRoot(workspacesRoot: string, workspaceId: string, taskId: string): string {
  if (workspacesRoot === "" || workspaceId === "" || taskId === "") return "";
  return join(workspacesRoot, workspaceId, taskKey(taskId));
}

export interface EnvPaths {
  readonly root: string;
  readonly workdir: string;
  readonly output: string;
  readonly logs: string;
  readonly codexHome: string;
  readonly config: string;
  readonly gcMeta: string;
  readonly managed: string;
  readonly record: string;
  readonly owner: string;
  readonly lock: string;
}

/** Absolute paths of everything this product puts into an env root. */
export function envPaths(root: string): EnvPaths {
  return {
    root,
    workdir: join(root, ENTRY.workdir),
    output: join(root, ENTRY.output),
    logs: join(root, ENTRY.logs),
    codexHome: join(root, ENTRY.codexHome),
    config: join(root, ENTRY.config),
    gcMeta: join(root, ENTRY.gcMeta),
    managed: join(root, ENTRY.managed),
    record: join(root, ENTRY.record),
    owner: join(root, ENTRY.owner),
    lock: join(root, ENTRY.lock),
  };
}

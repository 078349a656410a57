import { realpathSync } from "node:fs";
import { isAbsolute, join, relative, resolve, sep } from "node:path";
import { asString, isObject, parseJson } from "../../core/index.ts";
import { readRegularFile } from "../../platform/index.ts";

/** Whose work a thread was; null = not a task of ours. */
export interface TaskLink {
  readonly workspaceId: string;
  readonly taskId: string | null;
  readonly issueId: string | null;
  readonly agentId: string | null;
}

const RECORD = ".multica_env.json";
const CACHE_MAX = 2000;

/** The directory with links resolved where it exists, in its shortest form where it does not (state-db.md 3). */
export function normalDirectory(path: string): string {
  if (!isAbsolute(path)) return path;
  try {
    return realpathSync.native(path);
  } catch {
    return resolve(path);
  }
}

/** Resolves directories and finds the task behind a path; one per pass, so that it may remember. */
export class PlaceBook {
  readonly #root: string;
  readonly #directories = new Map<string, string>();
  readonly #links = new Map<string, Promise<TaskLink | null>>();

  constructor(workspacesRoot: string) {
    this.#root = workspacesRoot === "" ? "" : normalDirectory(workspacesRoot);
  }

  directory(path: string): string {
    const known = this.#directories.get(path);
    if (known !== undefined) return known;
    if (this.#directories.size >= CACHE_MAX) this.#directories.clear();
    const real = normalDirectory(path);
    this.#directories.set(path, real);
    return real;
  }

  /** The task whose environment one of these paths lies in; the first that does decides. */
  async taskOf(paths: readonly (string | null)[]): Promise<TaskLink | null> {
    for (const path of paths) {
      const envRoot = path === null ? null : this.#envRoot(path);
      if (envRoot === null) continue;
      const link = this.#links.get(envRoot) ?? readLink(envRoot);
      if (this.#links.size >= CACHE_MAX) this.#links.clear();
      this.#links.set(envRoot, link);
      return link;
    }
    return null;
  }

  /** `<workspaces root>/<workspace>/<task>`, or null outside of it. */
  #envRoot(path: string): string | null {
    if (this.#root === "") return null;
    const way = relative(this.#root, path);
    if (way.startsWith("..") || isAbsolute(way)) return null;
    const [workspace, task] = way.split(sep);
    return workspace === undefined || task === undefined || workspace.startsWith(".") ? null : join(this.#root, workspace, task);
  }
}

/** The environment's record is a file the agent can write: only texts of a sane length are taken from it. */
async function readLink(envRoot: string): Promise<TaskLink | null> {
  const workspaceId = envRoot.split(sep).at(-2) ?? "";
  const record: unknown = parseJson((await readRegularFile(join(envRoot, RECORD)).catch(() => undefined))?.toString("utf8") ?? "");
  const text = (key: string): string | null => {
    const value = isObject(record) ? asString(record[key]) : "";
    return value === "" || value.length > 100 ? null : value;
  };
  if (!isObject(record)) return null;
  return { workspaceId: text("workspace_id") ?? workspaceId, taskId: text("last_task_id") ?? text("task_id"), issueId: text("issue_id"), agentId: text("agent_id") };
}

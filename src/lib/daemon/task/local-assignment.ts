import { isAbsolute } from "node:path";
import { asString, isObject, parseJson } from "../../core/index.ts";
import type { Task } from "../../wire/index.ts";

/** A user's directory on this machine that a task works in. */
export interface LocalAssignment {
  /** Absolute, as the user wrote it. */
  readonly path: string;
  readonly mode: "in_place" | "worktree";
  /** For people and the server: never a path. */
  readonly label: string;
}

export type Assigned = { readonly kind: "none" } | { readonly kind: "local"; readonly local: LocalAssignment } | { readonly kind: "wrong"; readonly error: string };

/**
 * Which directory of this machine a task's project names (daemon.md 11.2). Rows of other daemons do not concern us; one
 * of ours that cannot be followed to the letter is an error: the work would happen somewhere else.
 */
export function localAssignment(task: Task, daemonId: string): Assigned {
  // A leader hands work out; the directory belongs to those who do it.
  if (task.is_leader_task === true) return { kind: "none" };
  const wrong = (error: string): Assigned => ({ kind: "wrong", error });
  let local: LocalAssignment | null = null;
  for (const resource of task.project_resources ?? []) {
    if (resource.resource_type !== "local_directory") continue;
    const raw: unknown = resource.resource_ref;
    const ref: unknown = typeof raw === "string" ? parseJson(raw) : raw;
    if (!isObject(ref) || asString(ref["daemon_id"]) === "") return wrong("the project's local directory cannot be read: it names no daemon");
    if (ref["daemon_id"] !== daemonId) continue;
    if (local !== null) return wrong("the project names two local directories of this machine");
    const mode = ref["execution_mode"] ?? "";
    if (mode !== "" && mode !== "in_place" && mode !== "worktree") {
      return wrong(`the project's local directory asks for the execution mode ${JSON.stringify(mode)}, which this daemon does not know`);
    }
    const path = asString(ref["local_path"]);
    if (!isAbsolute(path)) return wrong("the project's local directory is not an absolute path");
    const label = asString(ref["label"]).trim();
    local = { path, mode: mode === "worktree" ? "worktree" : "in_place", label: label !== "" && !label.includes("/") ? label : baseName(path) };
  }
  return local === null ? { kind: "none" } : { kind: "local", local };
}

function baseName(path: string): string {
  return path.split("/").filter((part) => part !== "").at(-1) ?? "directory";
}

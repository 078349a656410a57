import { readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { asString, isObject, parseJson } from "../core/index.ts";

export interface TaskMarker {
  readonly path: string;
  /** True when it names one task's agent, issue or chat; false for the permanent one in the workspaces root. */
  readonly perTask: boolean;
}

/**
 * The nearest task marker above `cwd`, or undefined (cli.md 3.1). Anything that is not a readable marker of ours is
 * "nothing here", and the walk goes on: an unrelated file must not close the program to its user.
 */
export function findTaskMarker(cwd: string): TaskMarker | undefined {
  for (let dir = resolve(cwd); ; dir = dirname(dir)) {
    const path = join(dir, ".multica", "daemon_task_context.json");
    const content = readMarker(path);
    if (content !== undefined) {
      const named = ["agent_id", "issue_id", "chat_session_id"].some((key) => asString(content[key]).trim() !== "");
      return { path, perTask: named };
    }
    if (dirname(dir) === dir) return undefined;
  }
}

function readMarker(path: string): Record<string, unknown> | undefined {
  try {
    const value = parseJson(readFileSync(path, "utf8"));
    return isObject(value) && value["managed_by"] === "multica-daemon-task" ? value : undefined;
  } catch {
    return undefined;
  }
}

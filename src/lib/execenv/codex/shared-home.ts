import { isAbsolute, join, resolve } from "node:path";
import { envValue, isInside, realPathIfExists, tempRoot } from "../../platform/index.ts";
import type { HostFacts } from "../types.ts";

/**
 * The user's own Codex home: `$CODEX_HOME`, else `~/.codex`. A `CODEX_HOME` inside the workspaces root is a task's home
 * and is not taken: a daemon started from within a task would link that home to itself (execenv.md 7.1).
 */
export function sharedCodexHome(host: Pick<HostFacts, "env" | "home">, workspacesRoot: string): string {
  const configured = envValue(host.env, "CODEX_HOME");
  if (configured !== undefined) {
    const absolute = resolve(configured);
    if (!isInside(real(workspacesRoot), real(absolute))) return absolute;
  }
  return join(isAbsolute(host.home) ? host.home : tempRoot(), ".codex");
}

function real(path: string): string {
  return realPathIfExists(path) ?? resolve(path);
}

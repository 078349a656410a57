import { mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { PrepareInput, TaskContext } from "../../src/lib/execenv/index.ts";
import { silentLogger } from "../../src/lib/platform/logger.ts";
import { tempDir } from "./temp.ts";

export const WORKSPACE = "0f6d3c1e-0000-4000-8000-000000000001";
export const AGENT = "0f6d3c1e-0000-4000-8000-0000000000a1";
export const ISSUE = "0f6d3c1e-0000-4000-8000-0000000000b1";

/** A machine of its own: workspaces root, user home with a `.codex`, nothing of the real one. */
export function machine(): { root: string; home: string; shared: string } {
  const base = tempDir("multica-env-");
  const shared = join(base, "home", ".codex");
  mkdirSync(shared, { recursive: true });
  return { root: join(base, "workspaces"), home: join(base, "home"), shared };
}

export function prepareInput(
  place: { root: string; home: string },
  taskId: string,
  change: Partial<Omit<PrepareInput, "task">> & { task?: TaskContext } = {},
): PrepareInput {
  return {
    workspacesRoot: place.root,
    workspaceId: WORKSPACE,
    taskId,
    provider: "acp",
    host: { env: {}, home: place.home, platform: "linux" },
    now: () => Date.UTC(2026, 6, 1),
    logger: silentLogger,
    ...change,
    task: { issueId: ISSUE, agentId: AGENT, agentName: "Ada", ...change.task },
  };
}

/** Every path below `directory` with what would change if somebody wrote there: size, mtime, link or content. */
export function snapshot(directory: string): Record<string, string> {
  const result: Record<string, string> = {};
  for (const entry of readdirSync(directory, { withFileTypes: true, recursive: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile()) result[path] = `${statSync(path, { bigint: true }).mtimeNs} ${readFileSync(path, "utf8")}`;
    else result[path] = entry.isSymbolicLink() ? "link" : "directory";
  }
  return result;
}

export function put(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

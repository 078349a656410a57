import { createHash } from "node:crypto";
import { lstatSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

/** What somebody wrote below some directories: each file's bytes by their hash, with one place where they were. */
export type Contents = ReadonlyMap<string, { readonly path: string; readonly text: string }>;

/** Files of the product itself: made again at will, and no loss. */
const OURS = /(?:^|\/)(?:\.task_lock(?:\..+)?|\.task_owner|\.multica_env\.json|\.managed_env\.json|daemon_task_context\.json|\.models_cache_config\.sha256|\.[^/]+\.[0-9a-f]{12}\.tmp)$/;

/** Reads every regular file below these directories (as root or owner); links are not followed. */
export function contentsOf(...directories: string[]): Contents {
  const found = new Map<string, { path: string; text: string }>();
  const visit = (path: string): void => {
    const facts = lstatSync(path, { throwIfNoEntry: false });
    if (facts?.isDirectory() === true) for (const name of readdirSync(path)) visit(join(path, name));
    if (facts?.isFile() !== true) return;
    const bytes = readFileSync(path);
    found.set(createHash("sha256").update(bytes).digest("hex"), { path, text: bytes.toString("latin1") });
  };
  for (const directory of directories) visit(directory);
  return found;
}

/**
 * What was there before and is nowhere now. A `config.toml` may have changed around its managed blocks: it is lost only
 * when one of its lines is gone from it, and the whole of it is kept nowhere.
 */
export function lostContents(before: Contents, after: Contents, config: string): string[] {
  const lines = new Set([...after.values()].find((one) => one.path === config)?.text.split("\n"));
  const lost: string[] = [];
  for (const [hash, { path, text }] of before) {
    if (after.has(hash) || OURS.test(path)) continue;
    const missing = text.split("\n").filter((line) => !lines.has(line) && !isManaged(line));
    if (path !== config || missing.length > 0) lost.push(path === config ? `${path}: ${missing.join(" | ")}` : path);
  }
  return lost;
}

/** Lines that a managed block has in one of its forms, with the values that we write. */
function isManaged(line: string): boolean {
  const text = line.trim();
  return text === "" || /^# (BEGIN|END) multica-managed/.test(text) || OWN_PAIRS.some((pair) => pair === text || (text.length > 10 && pair.startsWith(text)));
}

/** Whole, or torn: a line that was cut off inside a block of ours is ours as well. */
const OFF = ["multi_agent", "multi_agent_v2", "memories", "generate_memories", "use_memories"];
const OWN_PAIRS = [
  'sandbox_mode = "workspace-write"',
  "sandbox_workspace_write.network_access = true",
  "network_access = true",
  "allow_login_shell = false",
  ...OFF.flatMap((name) => ["", "features.", "memories."].map((table) => `${table}${name} = false`)),
];

/** Unfinished writes of ours, by their names, below these directories. */
export function stagingFiles(...directories: string[]): string[] {
  const found: string[] = [];
  const visit = (directory: string): void => {
    for (const entry of readdirSync(directory, { withFileTypes: true })) {
      const path = join(directory, entry.name);
      if (/\.[0-9a-f]{12,16}\.tmp$/.test(entry.name)) found.push(path);
      if (entry.isDirectory()) visit(path);
    }
  };
  for (const directory of directories) visit(directory);
  return found;
}

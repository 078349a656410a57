import { chmodSync, lstatSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { type HealWorld, NAMED, canary } from "./home.ts";

/** The entries of a Codex home (execenv.md 7.2), by their place in it, and what Codex itself keeps there. */
export const ENTRIES = {
  sessions: "directory",
  "auth.json": "file",
  "plugins/cache": "directory",
  "config.toml": "file",
  "config.json": "file",
  "instructions.md": "file",
  [NAMED.catalog]: "file",
  [NAMED.instructions]: "file",
  [NAMED.experimental]: "file",
  "models_cache.json": "file",
  ".models_cache_config.sha256": "file",
  skills: "directory",
  "skills/tool": "directory",
  ".multica": "directory",
  ".multica/backup": "directory",
  "history.jsonl": "file",
} as const;
export type Entry = keyof typeof ENTRIES;

export const DAMAGES = [
  "absent",
  "broken link",
  "link elsewhere",
  "regular file",
  "directory",
  "unreadable",
  "read-only parent",
  "link to itself",
  "link through the workspaces root",
] as const;
export type Damage = (typeof DAMAGES)[number];

/** Does this to that entry. Whatever it writes is told apart by its text, so that a loss shows. */
export function damage(world: HealWorld, entry: Entry, how: Damage): void {
  const path = join(world.codexHome, entry);
  const kind = ENTRIES[entry];
  const put = (): void => {
    clear(path);
    if (kind === "file") writeFileSync(path, contentFor(entry));
    else {
      mkdirSync(path);
      writeFileSync(join(path, "rollout-2026-01-01T00-00-00-own.jsonl"), `somebody's own ${entry}`);
    }
  };
  switch (how) {
    case "absent":
      return clear(path);
    case "broken link":
      return linkTo(path, join(world.base, "nowhere", basename(entry)));
    case "link elsewhere": {
      const outside = canary(world.base, "elsewhere");
      return linkTo(path, kind === "file" ? outside.file : outside.directory);
    }
    case "regular file":
      clear(path);
      return writeFileSync(path, contentFor(entry));
    case "directory":
      clear(path);
      mkdirSync(path);
      return writeFileSync(join(path, "inside"), `somebody's own ${entry}, a directory`);
    case "unreadable":
      // A link has no rights of its own: what stands in its place has.
      if (lstatSync(path).isSymbolicLink()) put();
      return chmodSync(path, 0o000);
    case "read-only parent":
      clear(path);
      return chmodSync(dirname(path), 0o555);
    case "link to itself":
      return linkTo(path, basename(path));
    case "link through the workspaces root": {
      const hop = join(world.workspaces, "other-task");
      mkdirSync(hop, { recursive: true });
      const source = join(world.shared, entry);
      const end = lstatSync(source, { throwIfNoEntry: false }) === undefined ? canary(world.base, "behind")[kind] : source;
      symlinkSync(end, join(hop, basename(entry)));
      return linkTo(path, join(hop, basename(entry)));
    }
  }
}

function clear(path: string): void {
  rmSync(path, { recursive: true, force: true });
}

function linkTo(path: string, target: string): void {
  clear(path);
  symlinkSync(target, path);
}

function contentFor(entry: Entry): string {
  return entry === "config.toml" ? 'model = "mine"\n' : `somebody's own ${entry}`;
}

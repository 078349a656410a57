import { type Dirent, lstatSync, readdirSync, realpathSync, statSync } from "node:fs";
import { join } from "node:path";
import { systemCode } from "../../core/index.ts";

export type HomeKind = "user" | "task" | "store" | "extra";

/** A Codex home to look into, or (kind `store`) a bare sessions tree. Absolute path. */
export interface HomeSource {
  readonly path: string;
  readonly kind: HomeKind;
}

/** Where homes come from: all the task homes below the workspaces root, the stores of the user's home, and the rest by name. */
export interface HomePlaces {
  readonly userHome: string;
  readonly workspacesRoot: string;
  readonly extra: readonly string[];
}

/** A directory that holds rollouts: a real path, so that many homes that link to it share it. */
export interface ScanRoot {
  readonly path: string;
  readonly archived: boolean;
}

export interface Home extends HomeSource {
  /** Through which names of the home its roots are reached: `<home>/sessions`. Null = there is none. */
  readonly sessions: ScanRoot | null;
  readonly archive: ScanRoot | null;
  /** A link that leads nowhere, a directory that may not be read. */
  readonly error: string | null;
}

/** The names below a home that lead to its rollouts. */
export const SESSIONS = "sessions";
export const ARCHIVE = "archived_sessions";

/**
 * Every home there is, each once by its real path, task homes first and the user's (the largest) last (state-db.md 18.1).
 * Only directory listings of the workspaces root's first two levels are read.
 */
export function discoverHomes(places: HomePlaces): Home[] {
  const sources: HomeSource[] = [
    ...taskHomes(places.workspacesRoot),
    ...stores(places.userHome),
    ...places.extra.map((path) => ({ path, kind: "extra" as const })),
    { path: places.userHome, kind: "user" },
  ];
  return resolveHomes(sources);
}

/** The homes with their roots. One that is not there at all is left out, unless it was named by hand. */
export function resolveHomes(sources: readonly HomeSource[]): Home[] {
  const homes = new Map<string, Home>();
  for (const source of sources) {
    const path = realPath(source.path);
    if (path === null) {
      if (source.kind === "extra") homes.set(source.path, { ...source, sessions: null, archive: null, error: "not there" });
      continue;
    }
    if (!homes.has(path)) homes.set(path, resolveHome({ path, kind: source.kind }));
  }
  return [...homes.values()];
}

function resolveHome(source: HomeSource): Home {
  if (source.kind === "store") return { ...source, sessions: { path: source.path, archived: false }, archive: null, error: null };
  const sessions = rootAt(join(source.path, SESSIONS), false);
  const archive = rootAt(join(source.path, ARCHIVE), true);
  const errors = [sessions, archive].flatMap((root) => (typeof root === "string" ? [root] : []));
  return {
    ...source,
    sessions: typeof sessions === "string" ? null : sessions,
    archive: typeof archive === "string" ? null : archive,
    error: errors.length === 0 ? null : errors.join("; "),
  };
}

/** The root behind a name: null when nothing is there, a text when something is and cannot be used. */
function rootAt(path: string, archived: boolean): ScanRoot | string | null {
  try {
    const real = realpathSync.native(path);
    return statSync(real).isDirectory() ? { path: real, archived } : `${path} is no directory`;
  } catch (error) {
    if (systemCode(error) === "ENOENT" && !isLink(path)) return null;
    return `${path}: ${systemCode(error) ?? String(error)}`;
  }
}

function isLink(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;
}

/** `<workspaces root>/<workspace>/<task>/codex-home`. */
function taskHomes(workspacesRoot: string): HomeSource[] {
  if (workspacesRoot === "") return [];
  return directories(workspacesRoot).flatMap((workspace) =>
    directories(workspace).flatMap((root) => {
      const path = join(root, "codex-home");
      return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true ? [{ path, kind: "task" as const }] : [];
    }),
  );
}

/** `<user home>/multica-sessions/<namespace>/<agent>/<conversation>`: sessions trees without a home around them. */
function stores(userHome: string): HomeSource[] {
  const level = (paths: readonly string[]): string[] => paths.flatMap(directories);
  return level(level(level([join(userHome, "multica-sessions")]))).map((path) => ({ path, kind: "store" as const }));
}

function directories(path: string): string[] {
  return entries(path)
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith("."))
    .map((entry) => join(path, entry.name));
}

function entries(path: string): Dirent[] {
  try {
    return readdirSync(path, { withFileTypes: true });
  } catch {
    return [];
  }
}

function realPath(path: string): string | null {
  try {
    return realpathSync.native(path);
  } catch {
    return null;
  }
}

import { readdirSync } from "node:fs";
import { isAbsolute, join, relative, resolve, sep } from "node:path";
import { EXIT, MulticaError } from "../core/index.ts";
import { type Env, envText } from "./environment.ts";

export interface StateDirInput {
  readonly env: Env;
  /** Empty or absent = the default profile. */
  readonly profile?: string | undefined;
  readonly home: string;
}

/** The settings file of a state directory. */
export function settingsPath(stateDir: string): string {
  return join(stateDir, "config.json");
}

/** The directory that holds the default profile's state and, below `profiles/`, every other one: `MULTICA_HOME` or `~/.multica`. */
export function stateRoot(env: Env, home: string): string {
  const chosen = envText(env, "MULTICA_HOME");
  return chosen === undefined ? join(home, ".multica") : resolve(chosen);
}

/** The private directory of a task that replaces the state root, or undefined (cli.md 3.5). Throws when it is not absolute. */
export function taskConfigRoot(env: Env): string | undefined {
  const root = envText(env, "MULTICA_TASK_CONFIG_ROOT");
  if (root === undefined || isAbsolute(root)) return root;
  throw new MulticaError("bad_task_config_root", `MULTICA_TASK_CONFIG_ROOT must be an absolute path, not ${JSON.stringify(root)}`, {
    exit: EXIT.usage,
  });
}

/**
 * The absolute directory of a profile's settings, log and daemon files (cli.md 3.5, 4.4). Nothing is created.
 * Throws `bad_profile` (exit 2) for a name that would leave the state root.
 */
export function resolveStateDir(input: StateDirInput): string {
  const taskRoot = taskConfigRoot(input.env);
  const root = taskRoot ?? stateRoot(input.env, input.home);
  const profile = input.profile ?? "";
  if (profile === "") return root;
  checkProfileName(profile, taskRoot !== undefined);
  return join(root, "profiles", ...profile.split("/"));
}

function checkProfileName(profile: string, single: boolean): void {
  const segments = profile.split("/");
  const bad =
    isAbsolute(profile) ||
    /[\\\0]/.test(profile) ||
    segments.some((segment) => segment === "" || segment === "." || segment === "..") ||
    (single && segments.length > 1);
  if (!bad) return;
  throw new MulticaError("bad_profile", `${JSON.stringify(profile)} is not a usable profile name`, {
    exit: EXIT.usage,
    suggestions: ["Use a plain name such as staging."],
  });
}

/** The local port of a profile's daemon: 19514, or 19515 + (byte sum of the name mod 1000) (cli.md 4.4). */
export function profilePort(profile: string): number {
  if (profile === "") return 19_514;
  const sum = Buffer.from(profile, "utf8").reduce((total, byte) => total + byte, 0);
  return 19_515 + (sum % 1000);
}

/** Where a profile's daemon keeps its environments unless told otherwise (cli.md 4.4). */
export function defaultWorkspacesRoot(profile: string, home: string): string {
  return join(home, profile === "" ? "multica_workspaces" : `multica_workspaces_${profile.replaceAll("/", "_")}`);
}

/** Names of the profiles below a state root that have a settings file, `/`-separated and sorted. */
export function listProfiles(root: string): string[] {
  const base = join(root, "profiles");
  const found: string[] = [];
  const visit = (dir: string): void => {
    for (const entry of entriesOf(dir)) {
      if (entry.isDirectory()) visit(join(dir, entry.name));
      else if (entry.name === "config.json" && dir !== base) found.push(relative(base, dir).split(sep).join("/"));
    }
  };
  visit(base);
  return found.sort();
}

function entriesOf(dir: string) {
  try {
    return readdirSync(dir, { withFileTypes: true });
  } catch {
    return [];
  }
}

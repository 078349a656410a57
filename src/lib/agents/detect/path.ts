import { realpathSync } from "node:fs";
import { basename, delimiter, dirname, isAbsolute, join, resolve } from "node:path";
import { isExecutableFile } from "../../platform/index.ts";

/** Dispatchers that choose what to run by the name they are called with: their own name must survive. */
const DISPATCHERS = new Set(["volta-shim", "vp"]);

export interface Lookup {
  /** The value of PATH. */
  readonly path: string;
  /** Base of relative paths and of empty PATH elements. */
  readonly cwd: string;
  /** Wrappers here call the same name again: what they stand for is used instead, when there is one. */
  readonly hooksDir?: string;
}

/**
 * Finds a command as a shell would (agents.md 3.2). A name with a separator is used as it stands, and a miss is final;
 * a bare name is searched in PATH and pinned to its real path, so that a later change of PATH cannot redirect a task.
 */
export function lookupCommand(command: string, lookup: Lookup): string | null {
  if (command.includes("/")) {
    const path = resolve(lookup.cwd, command);
    return isExecutableFile(path) ? path : null;
  }
  const first = search(command, lookup, null);
  if (first === null) return null;
  const hooks = realPath(lookup.hooksDir);
  if (hooks === null || realPath(dirname(first)) !== hooks) return pin(first);
  const behind = search(command, lookup, hooks);
  return behind === null ? first : pin(behind);
}

/** The same file under a name that does not depend on links. */
function pin(path: string): string {
  const real = realPath(path) ?? path;
  if (!DISPATCHERS.has(basename(real))) return real;
  return join(realPath(dirname(path)) ?? dirname(path), basename(path));
}

function search(name: string, { path, cwd }: Lookup, without: string | null): string | null {
  for (const element of path.split(delimiter)) {
    const directory = isAbsolute(element) ? element : resolve(cwd, element);
    if (without !== null && realPath(directory) === without) continue;
    const candidate = join(directory, name);
    if (isExecutableFile(candidate)) return candidate;
  }
  return null;
}

function realPath(path: string | undefined): string | null {
  if (path === undefined) return null;
  try {
    return realpathSync(path);
  } catch {
    return null;
  }
}

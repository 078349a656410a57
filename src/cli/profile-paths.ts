import { accessSync, constants } from "node:fs";
import { isAbsolute } from "node:path";
import { openSettingsStore, readSettings } from "../lib/config/index.ts";
import { usage } from "./resolve.ts";

export interface PathChange {
  readonly profile_id: string;
  readonly path: string | null;
  readonly previous: string | null;
}

/** Notes where a runtime profile's command is on this machine; local only, never sent (cli.md 5.6). Relative: exit 2. */
export async function setProfilePath(stateDir: string, id: string, path: string): Promise<PathChange> {
  if (id.trim() === "") throw usage("the runtime profile id is empty");
  if (!isAbsolute(path)) throw usage("the path must be absolute");
  const map = { ...readSettings(stateDir).profile_command_overrides };
  const previous = map[id] ?? null;
  const store = await openSettingsStore(stateDir);
  await store.set({ profile_command_overrides: { ...map, [id]: path } });
  return { profile_id: id, path, previous };
}

/** Forgets it again; an id without a path is no error. */
export async function unsetProfilePath(stateDir: string, id: string): Promise<PathChange> {
  const map = { ...readSettings(stateDir).profile_command_overrides };
  const previous = map[id] ?? null;
  if (previous !== null) {
    delete map[id];
    const store = await openSettingsStore(stateDir);
    await store.set({ profile_command_overrides: Object.keys(map).length === 0 ? undefined : map });
  }
  return { profile_id: id, path: null, previous };
}

export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

import type { DaemonConfig } from "../config/index.ts";
import { sharedCodexHome } from "../execenv/index.ts";
import { type Env, homeDir } from "../platform/index.ts";
import type { HomePlaces } from "../state/index.ts";

/** Where this daemon looks for Codex homes: the operator's, those of tasks, and those the settings name (state-db.md 18.1). */
export function homePlacesOf({ config, env }: { readonly config: Pick<DaemonConfig, "workspacesRoot" | "indexHomes">; readonly env: Readonly<Env> }): HomePlaces {
  const { workspacesRoot } = config;
  return { userHome: sharedCodexHome({ env, home: homeDir(env) }, workspacesRoot), workspacesRoot, extra: config.indexHomes };
}

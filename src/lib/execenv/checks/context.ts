import { lstatSync } from "node:fs";
import { basename, dirname, isAbsolute, join, resolve } from "node:path";
import { envValue, isInside, pathExists, realPathIfExists } from "../../platform/index.ts";
import { type CodexFacts, codexFacts } from "../codex/facts.ts";
import { recordedStore } from "../codex/session-store.ts";
import { sharedCodexHome } from "../codex/shared-home.ts";
import { envPaths } from "../layout.ts";
import { type EnvRecord, readRecord } from "../record.ts";
import type { CheckContext } from "./check.ts";
import type { HealOptions, Target } from "./types.ts";

/** What the checks need to know about an environment whose task is over: from its record, else from what lies there. */
export async function openContext(target: Target, options: HealOptions): Promise<CheckContext> {
  const paths = envPaths(target.root);
  const record = await readRecord(target.root).catch(() => undefined);
  const provider = record?.provider ?? ((await pathExists(paths.codexHome).catch(() => false)) ? "codex" : "");
  const codex = provider === "codex" ? recordedFacts(target, record) : undefined;
  return contextOf(target, { record, provider, codex }, options);
}

export function contextOf(
  target: Target,
  known: { record: EnvRecord | undefined; provider: string; codex: CodexFacts | undefined },
  options: HealOptions,
): CheckContext {
  const stamp = new Date(target.now()).toISOString().replace(/[-:]/g, "").replace(/\.\d+Z$/, "Z");
  const id = `${basename(dirname(target.root))}/${basename(target.root)}`;
  return { target, id, paths: envPaths(target.root), ...known, options, stamp };
}

/** What the daemon used is kept, so that a heal from another shell does not turn the home over. */
function recordedFacts(target: Target, record: EnvRecord | undefined): CodexFacts {
  const sharedHome = target.sharedHome === undefined ? (trustedSharedHome(target, record) ?? sharedCodexHome(target.host, target.workspacesRoot)) : resolve(target.sharedHome);
  const recorded = record?.codex;
  const text = (value: unknown): string => (typeof value === "string" ? value : "");
  const conversation = { agentId: text(record?.agent_id), issueId: text(record?.issue_id), chatSessionId: text(record?.chat_session_id) };
  return codexFacts({
    home: envPaths(target.root).codexHome,
    sharedHome,
    host: target.host,
    cliVersion: target.cliVersion ?? recorded?.cli_version,
    recorded,
    workspaceSkills: record?.skills,
    sessionStore: recordedStore(sharedHome, recorded?.session_store, conversation),
    linkStore: record !== undefined && record.execution_mode !== "managed",
  });
}

/**
 * The shared home that the record names, if it can be believed: the record lies where an agent can write, so it must
 * not make us create or read things anywhere. It has to be a directory that looks like a Codex home.
 */
function trustedSharedHome(target: Target, record: EnvRecord | undefined): string | undefined {
  const named = record?.codex?.shared_home;
  if (typeof named !== "string" || !isAbsolute(named) || isSelfShared(target, named)) return undefined;
  if (named === sharedCodexHome(target.host, target.workspacesRoot)) return named;
  const looksRight = ["config.toml", "auth.json", "sessions"].some((name) => lstatSync(join(named, name), { throwIfNoEntry: false }) !== undefined);
  return looksRight ? named : undefined;
}

/** True when a recorded shared home lies in the workspaces root: a task's home cannot be everybody's. */
export function isSelfShared(target: Target, path: string): boolean {
  const root = realPathIfExists(target.workspacesRoot) ?? resolve(target.workspacesRoot);
  return isInside(root, realPathIfExists(path) ?? resolve(path)) || isInside(resolve(target.workspacesRoot), resolve(path));
}

/** `CODEX_HOME` of this process, when it would be taken as the shared home. */
export function configuredSharedHome(target: Target): string | undefined {
  const configured = envValue(target.host.env, "CODEX_HOME");
  return configured === undefined || isSelfShared(target, configured) ? undefined : resolve(configured);
}

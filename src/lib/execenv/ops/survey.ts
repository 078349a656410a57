import { lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { asString, isObject, parseJson, systemCode } from "../../core/index.ts";
import { lockHolder, readTextIfExistsNow } from "../../platform/index.ts";
import { ENTRY, MARKER } from "../layout.ts";

/** active: an execution holds it · local: its work happens in a user's directory · orphan: nobody will ask for it · foreign: not ours. */
export type EnvState = "active" | "idle" | "local" | "orphan" | "foreign";

/** What the files of one env root say about it; empty strings where they say nothing. */
export interface EnvSummary {
  /** `{workspace}/{segment}`: what selectors take. */
  readonly id: string;
  readonly path: string;
  readonly workspace_id: string;
  readonly segment: string;
  readonly kind: "issue" | "chat" | "autopilot_run" | "quick_create" | "unknown";
  readonly parent_id: string;
  readonly issue_id: string;
  readonly chat_session_id: string;
  readonly agent_id: string;
  readonly agent_name: string;
  readonly task_id: string;
  readonly last_task_id: string;
  readonly provider: string;
  readonly state: EnvState;
  /** The user's directory it works in, or null. */
  readonly local_directory: string | null;
  readonly created_at: string;
  readonly last_used_at: string;
  readonly completed_at: string;
  readonly codex_home: boolean;
}

const ORPHAN_TTL_MS = 72 * 3_600_000;

/**
 * Every environment of a workspaces root, sorted by id; nothing is written or locked. Names that begin with a dot are
 * the daemon's own (caches) and no workspaces. A root that does not exist is empty. Throws what the disk says otherwise.
 */
export function surveyRoot(workspacesRoot: string, options: { nowMs: number; orphanTtlMs?: number; workspaceId?: string | undefined }): EnvSummary[] {
  const workspaces = options.workspaceId === undefined ? namesIn(workspacesRoot) : [options.workspaceId];
  const found: EnvSummary[] = [];
  for (const workspace of workspaces.filter((name) => !name.startsWith("."))) {
    // A link in the place of a workspace leads to what is not ours.
    if (lstatSync(join(workspacesRoot, workspace), { throwIfNoEntry: false })?.isDirectory() !== true) continue;
    for (const segment of namesIn(join(workspacesRoot, workspace))) {
      if (!segment.startsWith(".")) found.push(summarise(workspacesRoot, workspace, segment, options));
    }
  }
  return found;
}

/** True while an execution holds any environment of this root, whichever process of the machine runs it. */
export function isAnyHeld(workspacesRoot: string): boolean {
  return namesIn(workspacesRoot)
    .filter((name) => !name.startsWith("."))
    .some((workspace) => namesIn(join(workspacesRoot, workspace)).some((segment) => !segment.startsWith(".") && lockHolder(join(workspacesRoot, workspace, segment, ENTRY.lock)) !== null));
}

/** The summary of one env root, which must exist. */
export function summarise(
  workspacesRoot: string,
  workspace: string,
  segment: string,
  options: { nowMs: number; orphanTtlMs?: number },
): EnvSummary {
  const path = join(workspacesRoot, workspace, segment);
  const facts = lstatSync(path);
  const names = new Set(facts.isDirectory() ? entriesOf(path) : []);
  const read = (name: string): Record<string, unknown> => (names.has(name) ? readObject(join(path, name)) : {});
  const record = read(ENTRY.record);
  const meta = read(ENTRY.gcMeta);
  const managed = read(ENTRY.managed);
  const marker = names.has(ENTRY.workdir) && !names.has(ENTRY.record) && !names.has(ENTRY.managed) ? readMarker(join(path, ENTRY.workdir)) : {};
  const pick = (key: string): string => [record, managed, meta, marker].map((source) => asString(source[key])).find((value) => value !== "") ?? "";
  const kind = kindOf(meta, pick);
  const local = asString(record["local_work_dir"]);
  const ours = [ENTRY.record, ENTRY.gcMeta, ENTRY.managed, ENTRY.owner].some((name) => names.has(name)) || asString(marker["managed_by"]) !== "";
  const old = facts.mtimeMs < options.nowMs - (options.orphanTtlMs ?? ORPHAN_TTL_MS);
  return {
    id: `${workspace}/${segment}`,
    path,
    workspace_id: workspace,
    segment,
    kind,
    parent_id: parentOf(kind, pick),
    issue_id: pick("issue_id"),
    chat_session_id: pick("chat_session_id"),
    agent_id: pick("agent_id"),
    agent_name: pick("agent_name"),
    task_id: pick("task_id") || (names.has(ENTRY.owner) ? (readPlain(join(path, ENTRY.owner)) ?? "").trim() : ""),
    last_task_id: asString(record["last_task_id"]),
    provider: asString(record["provider"]) || inferProvider(names),
    state: stateOf({ path, names, ours, local: local !== "" || meta["local_directory"] === true, orphan: asString(meta["completed_at"]) === "" && old }),
    local_directory: local === "" ? null : local,
    created_at: asString(record["created_at"]),
    last_used_at: asString(record["last_used_at"]) || facts.mtime.toISOString(),
    completed_at: asString(meta["completed_at"]),
    codex_home: names.has(ENTRY.codexHome),
  };
}

function stateOf(facts: { path: string; names: ReadonlySet<string>; ours: boolean; local: boolean; orphan: boolean }): EnvState {
  if (facts.names.has(`${ENTRY.lock}.holder`) && lockHolder(join(facts.path, ENTRY.lock)) !== null) return "active";
  if (!facts.ours) return "foreign";
  if (facts.local) return "local";
  return facts.orphan ? "orphan" : "idle";
}

function kindOf(meta: Readonly<Record<string, unknown>>, pick: (key: string) => string): EnvSummary["kind"] {
  const kind = asString(meta["kind"]);
  if (kind === "issue" || kind === "chat" || kind === "autopilot_run" || kind === "quick_create") return kind;
  if (pick("chat_session_id") !== "") return "chat";
  return pick("issue_id") === "" ? "unknown" : "issue";
}

function parentOf(kind: EnvSummary["kind"], pick: (key: string) => string): string {
  if (kind === "issue") return pick("issue_id");
  if (kind === "chat") return pick("chat_session_id");
  return kind === "autopilot_run" ? pick("autopilot_run_id") : "";
}

/** Environments of other releases have no record; the home of the agent tells which one it was. */
function inferProvider(names: ReadonlySet<string>): string {
  if (names.has(ENTRY.codexHome)) return "codex";
  if (names.has("hermes-home")) return "hermes";
  if (names.has("qwenpaw-workspace")) return "qwenpaw";
  if (names.has("cursor-data")) return "cursor";
  return names.has("openclaw-config.json") ? "openclaw" : "";
}

function readObject(path: string): Record<string, unknown> {
  const value: unknown = parseJson(readPlain(path) ?? "");
  return isObject(value) ? value : {};
}

function readMarker(workdir: string): Record<string, unknown> {
  const real = [workdir, join(workdir, ".multica")].every((path) => lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true);
  return real ? readObject(join(workdir, MARKER)) : {};
}

/** The text of a small regular file. An agent may have put a link or a pipe there. */
function readPlain(path: string): string | undefined {
  try {
    const facts = lstatSync(path);
    return facts.isFile() && facts.size < 1_048_576 ? readTextIfExistsNow(path) : undefined;
  } catch {
    return undefined;
  }
}

/** Names of directories and of links to look at; a file among workspaces or environments is nothing of ours. */
function namesIn(directory: string): string[] {
  try {
    const entries = readdirSync(directory, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory() || entry.isSymbolicLink()).map((entry) => entry.name).sort();
  } catch (error) {
    if (systemCode(error) === "ENOENT" || systemCode(error) === "ENOTDIR") return [];
    throw error;
  }
}

function entriesOf(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

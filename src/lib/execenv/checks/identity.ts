import { join } from "node:path";
import { asString, isObject, parseJson } from "../../core/index.ts";
import { pathExists, readRegularFile } from "../../platform/index.ts";
import { codexRecord } from "../codex/facts.ts";
import { lookConfined, readConfined } from "../confined.ts";
import { readGcMeta } from "../gc-meta.ts";
import { ENTRY, MARKER } from "../layout.ts";
import { readTaskMarker, writeTaskMarker } from "../markers.ts";
import { readProvenance, writeProvenance } from "../provenance.ts";
import { type EnvRecord, writeRecord } from "../record.ts";
import { type Check, type CheckContext, finding } from "./check.ts";
import { setAside } from "./place.ts";

/** Who an environment belongs to, as far as one of its files says. Empty = says nothing. */
interface Ids {
  readonly workspace: string;
  readonly agent: string;
  readonly issue: string;
  readonly chat: string;
}

const NAMES: readonly (keyof Ids)[] = ["workspace", "agent", "issue", "chat"];

interface Witnesses {
  readonly provenance: Ids | undefined;
  readonly meta: Ids | undefined;
  readonly marker: Ids | undefined;
  readonly record: Ids | undefined;
}

async function witnesses(context: CheckContext): Promise<Witnesses> {
  const { root } = context.target;
  const ids = (value: object | undefined): Ids | undefined => {
    if (value === undefined) return undefined;
    const text = (key: string): string => asString((value as Readonly<Record<string, unknown>>)[key]) ?? "";
    return { workspace: text("workspace_id"), agent: text("agent_id"), issue: text("issue_id"), chat: text("chat_session_id") };
  };
  const marker = await readTaskMarker(context.paths.workdir);
  return {
    provenance: ids(await readProvenance(root)),
    meta: ids(await readGcMeta(root)),
    marker: marker === undefined ? undefined : { workspace: "", agent: marker.agentId, issue: marker.issueId, chat: marker.chatSessionId },
    record: ids(context.record),
  };
}

/** What all of them together say; null when two contradict each other. */
function agreed(all: readonly (Ids | undefined)[]): Ids | null {
  const result: Record<keyof Ids, string> = { workspace: "", agent: "", issue: "", chat: "" };
  for (const one of all) {
    for (const name of NAMES) {
      const value = one?.[name] ?? "";
      if (value === "") continue;
      if (result[name] !== "" && result[name] !== value) return null;
      result[name] = value;
    }
  }
  return result;
}

const provenanceCheck: Check = {
  id: "provenance",
  section: "environment",
  codes: ["ENV_PROVENANCE_MISSING", "ENV_PROVENANCE_MISMATCH"],

  async check(context) {
    const said = await witnesses(context);
    const all = agreed([said.provenance, said.meta, said.marker]);
    if (all === null) return [finding("ENV_PROVENANCE_MISMATCH", { path: ENTRY.managed, expected: "provenance, marker and meta name one conversation", actual: "they contradict each other" })];
    if (said.provenance !== undefined || (said.record === undefined && said.marker === undefined)) return [];
    const conversation = said.marker ?? said.record;
    if (conversation === undefined || conversation.agent === "" || (conversation.issue === "" && conversation.chat === "")) return [];
    if ((context.record?.execution_mode as string | undefined ?? "managed") !== "managed") return [];
    const certain = rebuildable(said) !== undefined;
    const present = await pathExists(context.paths.managed);
    return [finding("ENV_PROVENANCE_MISSING", { path: ENTRY.managed, expected: "the proof of whom it was made for", actual: present ? "unreadable or foreign" : "absent", ...(certain ? {} : { fix: "manual" as const, hint: "Its files do not say enough: the next task prepares afresh." }) })];
  },

  async repair(context) {
    const ids = rebuildable(await witnesses(context));
    if (ids === undefined) return {};
    const backup = (await pathExists(context.paths.managed)) ? await setAside(context, ENTRY.managed) : undefined;
    await writeProvenance(context.target.root, ids.workspace, { agentId: ids.agent, issueId: ids.issue, chatSessionId: ids.chat });
    return { backup };
  },
};

/** Marker and a second witness outside the workdir have to agree: an agent can write the marker. */
function rebuildable(said: Witnesses): Ids | undefined {
  const second = said.meta ?? said.record;
  if (said.marker === undefined || second === undefined) return undefined;
  const all = agreed([said.marker, said.meta, said.record]);
  const same = (["issue", "chat"] as const).every((name) => said.marker?.[name] === second[name]);
  return all !== null && same && all.workspace !== "" && all.agent !== "" ? all : undefined;
}

const markerCheck: Check = {
  id: "task-marker",
  section: "environment",
  codes: ["MARK_MISSING", "MARK_CORRUPT", "MARK_FOREIGN", "ENV_SYMLINKED"],

  async check(context) {
    if ((await lookConfined(context.target.root, ENTRY.workdir))?.isDirectory() !== true) return [];
    const path = join(ENTRY.workdir, MARKER);
    const facts = { path, expected: "the task marker" };
    let text: string | undefined;
    let there = false;
    try {
      there = (await lookConfined(context.target.root, path)) !== undefined;
      text = await readConfined(context.target.root, path);
    } catch {
      return [finding("ENV_SYMLINKED", { ...facts, path: join(ENTRY.workdir, ".multica"), expected: "a directory of its own", actual: "a link or no directory" })];
    }
    if (text !== undefined && (await readTaskMarker(context.paths.workdir)) !== undefined) return [];
    const value: unknown = parseJson(text ?? "");
    if (isObject(value) && value["managed_by"] !== undefined) return [finding("MARK_FOREIGN", { ...facts, actual: "somebody else's" })];
    const known = (await identityOf(context)) !== undefined;
    const manual = known ? {} : { fix: "manual" as const, hint: "Nothing tells whom it was made for: the next task prepares afresh." };
    return [finding(there ? "MARK_CORRUPT" : "MARK_MISSING", { ...facts, actual: there ? "unreadable" : "absent", ...manual })];
  },

  async repair(context, found) {
    const ids = await identityOf(context);
    if (ids === undefined) return {};
    const backup = found.code === "MARK_CORRUPT" ? await setAside(context, found.path) : undefined;
    await writeTaskMarker(context.paths.workdir, { agentId: ids.agent, issueId: ids.issue, chatSessionId: ids.chat });
    return { backup };
  },
};

async function identityOf(context: CheckContext): Promise<Ids | undefined> {
  const said = await witnesses(context);
  const ids = said.provenance ?? said.record;
  return ids === undefined || (ids.issue === "" && ids.chat === "") ? undefined : ids;
}

const recordCheck: Check = {
  id: "record",
  section: "environment",
  codes: ["ENV_RECORD_MISSING"],

  async check(context) {
    if (context.record !== undefined) return [];
    const present = await pathExists(context.paths.record);
    const known = (await rebuiltRecord(context)) !== undefined;
    const facts = { path: ENTRY.record, expected: "the record of the environment", actual: present ? "unreadable" : "absent" };
    return [finding("ENV_RECORD_MISSING", known ? facts : { ...facts, fix: "next", hint: "The next task writes it." })];
  },

  async repair(context) {
    const record = await rebuiltRecord(context);
    if (record === undefined) return {};
    const backup = (await pathExists(context.paths.record)) ? await setAside(context, ENTRY.record) : undefined;
    await writeRecord(context.target.root, record);
    return { backup };
  },
};

/** From owner, provenance, meta and marker; undefined when nobody says who owns it. */
async function rebuiltRecord(context: CheckContext): Promise<EnvRecord | undefined> {
  const owner = (await readRegularFile(context.paths.owner))?.toString("utf8").trim() ?? "";
  const said = await witnesses(context);
  const ids = agreed([said.provenance, said.meta, said.marker]);
  if (owner === "" || ids === null || ids.workspace === "") return undefined;
  const at = new Date(context.target.now()).toISOString();
  return {
    v: 1,
    workspace_id: ids.workspace,
    task_id: owner,
    last_task_id: owner,
    issue_id: ids.issue,
    chat_session_id: ids.chat,
    agent_id: ids.agent,
    agent_name: "",
    provider: context.provider,
    created_at: at,
    last_used_at: at,
    local_work_dir: null,
    execution_mode: "managed",
    ...(context.codex === undefined ? {} : { codex: codexRecord(context.codex, context.target.cliVersion) }),
    context_files: {},
  };
}

export const IDENTITY_CHECKS: readonly Check[] = [provenanceCheck, markerCheck, recordCheck];


import { join } from "node:path";
import { isObject, parseJson } from "../../core/index.ts";
import { type Clock, type Env, lockHolder } from "../../platform/index.ts";
import { type UnpushedWork, findUnpushedWork } from "../../repos/index.ts";
import { readConfined } from "../confined.ts";
import { type Report, type Target, inspectEnvironment } from "../checks/index.ts";
import { ENTRY, MARKER } from "../layout.ts";
import { type CheckoutView, listCheckouts } from "./checkouts.ts";
import type { EnvSummary } from "./survey.ts";
import { treeBytes } from "./tree.ts";

/** Everything `execenv inspect` shows. Holds ids, paths and states, never the content of a user's file. */
export interface Inspection extends EnvSummary {
  readonly lock: { readonly held: boolean; readonly pid: number | null };
  /** Who the files say it belongs to, side by side; null: missing or unreadable. */
  readonly says: Readonly<Record<"record" | "provenance" | "gc_meta" | "marker" | "owner", Readonly<Record<string, unknown>> | null>>;
  readonly report: Report;
  readonly checkouts: readonly CheckoutView[];
  readonly unpushed_work: readonly UnpushedWork[];
  readonly size_bytes: number;
}

/** Looks at one environment without changing anything. */
export async function inspectOne(env: EnvSummary, target: Target, machine: { clock: Clock; env: Readonly<Env> }): Promise<Inspection> {
  const holder = lockHolder(join(env.path, ENTRY.lock));
  const owner = (await text(env.path, ENTRY.owner))?.trim();
  const workdir = join(env.path, ENTRY.workdir);
  const unpushed = await findUnpushedWork({ directory: workdir, ...machine });
  return {
    ...env,
    lock: { held: holder !== null, pid: holder?.pid ?? null },
    says: {
      record: await ids(env.path, ENTRY.record),
      provenance: await ids(env.path, ENTRY.managed),
      gc_meta: await ids(env.path, ENTRY.gcMeta),
      marker: await ids(env.path, join(ENTRY.workdir, MARKER)),
      owner: owner === undefined ? null : { task_id: owner },
    },
    report: await inspectEnvironment(target),
    checkouts: await listCheckouts(workdir, unpushed).catch(() => []),
    unpushed_work: unpushed,
    size_bytes: await treeBytes(env.path),
  };
}

const SHOWN = ["managed_by", "kind", "workspace_id", "agent_id", "task_id", "last_task_id", "issue_id", "chat_session_id", "provider", "execution_mode", "completed_at"];

async function ids(root: string, path: string): Promise<Record<string, unknown> | null> {
  const value: unknown = parseJson((await text(root, path)) ?? "");
  if (!isObject(value)) return null;
  return Object.fromEntries(SHOWN.flatMap((key) => (value[key] === undefined || value[key] === "" ? [] : [[key, value[key]]])));
}

/** Undefined also behind a planted link: the findings name it. */
async function text(root: string, path: string): Promise<string | undefined> {
  return readConfined(root, path).catch(() => undefined);
}

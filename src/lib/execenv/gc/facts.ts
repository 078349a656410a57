import { lstatSync } from "node:fs";
import { join } from "node:path";
import { asString, isObject, parseJson } from "../../core/index.ts";
import { lockHolder, readTextIfExistsNow } from "../../platform/index.ts";
import { ENTRY } from "../layout.ts";
import type { GcFacts, GcParent } from "./decision.ts";

/** The collector's view of one env root. Nothing is written; a file that cannot be read counts as not there. */
export function gcFacts(root: string, isActive: (root: string) => boolean = () => false): GcFacts {
  const meta = readMeta(root);
  const completed = Date.parse(asString(meta["completed_at"]));
  return {
    active: isActive(root) || lockHolder(join(root, ENTRY.lock)) !== null,
    parent: parentOf(meta),
    // The year 1 stands for "not yet".
    completedAtMs: Number.isNaN(completed) || completed < 0 ? null : completed,
    recordedAtMs: lstatSync(join(root, ENTRY.gcMeta), { throwIfNoEntry: false })?.mtimeMs ?? null,
    localDirectory: meta["local_directory"] === true,
    mtimeMs: lstatSync(root).mtimeMs,
    managedArtifact: lstatSync(join(root, ENTRY.codexHome, ".sandbox-bin"), { throwIfNoEntry: false })?.isDirectory() === true,
  };
}

const PARENT_KEY: Readonly<Record<GcParent["kind"], string>> = {
  issue: "issue_id",
  chat: "chat_session_id",
  autopilot_run: "autopilot_run_id",
  quick_create: "task_id",
};

function parentOf(meta: Readonly<Record<string, unknown>>): GcParent | null {
  const kind = asString(meta["kind"]) || "issue";
  if (!isKind(kind)) return null;
  const id = asString(meta[PARENT_KEY[kind]]);
  return id === "" ? null : { kind, id };
}

function isKind(kind: string): kind is GcParent["kind"] {
  return Object.hasOwn(PARENT_KEY, kind);
}

function readMeta(root: string): Record<string, unknown> {
  try {
    const path = join(root, ENTRY.gcMeta);
    const value: unknown = lstatSync(path, { throwIfNoEntry: false })?.isFile() === true ? parseJson(readTextIfExistsNow(path) ?? "") : undefined;
    return isObject(value) ? value : {};
  } catch {
    return {};
  }
}

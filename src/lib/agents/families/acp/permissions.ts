import type { PermissionOptionKind, RequestPermissionResponse } from "@agentclientprotocol/sdk";
import { asString, isObject } from "../../../core/index.ts";

export type PermissionAnswer =
  | { readonly type: "answer"; readonly result: RequestPermissionResponse; readonly rejected: boolean }
  | { readonly type: "refuse"; readonly message: string };

/** Nobody sits in front of a task: what the sandbox allows is allowed. By kind, since ids are free text (real-agents.md 3, finding 24). */
const PREFERENCE: readonly PermissionOptionKind[] = ["allow_always", "allow_once", "reject_once"];

/** Chooses among the options that were offered; once the run is being ended, the request is cancelled instead. */
export function answerPermission(params: unknown, ending: boolean): PermissionAnswer {
  if (ending) return { type: "answer", result: { outcome: { outcome: "cancelled" } }, rejected: false };
  const offered = (isObject(params) && Array.isArray(params.options) ? params.options : []).filter(isObject);
  for (const kind of PREFERENCE) {
    const option = offered.find((candidate) => asString(candidate.kind).trim().toLowerCase() === kind && asString(candidate.optionId) !== "");
    if (option === undefined) continue;
    const optionId = asString(option.optionId);
    return { type: "answer", result: { outcome: { outcome: "selected", optionId } }, rejected: kind === "reject_once" };
  }
  return { type: "refuse", message: "no auto-selectable permission option offered" };
}

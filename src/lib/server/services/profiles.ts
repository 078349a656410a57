import { isUniqueViolation } from "../../platform/index.ts";
import { PROTOCOL_FAMILIES, type ProfileInput } from "../../wire/index.ts";
import { insert, one, run, update } from "../db/query.ts";
import { HttpError, badRequest, notFound } from "../http-error.ts";
import type { RuntimeProfileRow } from "../rows/index.ts";
import type { Tx } from "../transaction.ts";

/** Runtime profiles (server-api.md 13.2). Every change is announced to the daemons of the workspace after commit. */
export function createProfile(tx: Tx, workspaceId: string, userId: string, input: ProfileInput): RuntimeProfileRow {
  const id = tx.newId();
  const row = {
    id,
    workspace_id: workspaceId,
    ...checkedColumns({ ...input, display_name: input.display_name ?? "", protocol_family: input.protocol_family ?? "", command_name: input.command_name ?? "" }),
    created_by: userId,
    created_at: tx.now,
    updated_at: tx.now,
  };
  uniqueName(() => insert(tx.db, "runtime_profile", row));
  tx.emit({ type: "runtime_profiles_changed", workspaceId, profileId: id });
  return loadProfile(tx.db, workspaceId, id);
}

export function updateProfile(tx: Tx, profile: RuntimeProfileRow, input: ProfileInput): RuntimeProfileRow {
  uniqueName(() => update(tx.db, "runtime_profile", profile.id, { ...checkedColumns(input), updated_at: tx.now }));
  tx.emit({ type: "runtime_profiles_changed", workspaceId: profile.workspace_id, profileId: profile.id });
  return loadProfile(tx.db, profile.workspace_id, profile.id);
}

/** Deletes the profile with its runtimes; refused while an agent that is not archived is bound to one of them. */
export function deleteProfile(tx: Tx, profile: RuntimeProfileRow): void {
  const bound = one(
    tx.db,
    "SELECT 1 FROM agent a JOIN agent_runtime r ON r.id = a.runtime_id WHERE r.profile_id = :id AND a.archived_at IS NULL LIMIT 1",
    { id: profile.id },
  );
  if (bound !== undefined) {
    throw new HttpError(409, "cannot delete runtime profile: active agents are still bound to its runtimes");
  }
  run(tx.db, "DELETE FROM runtime_profile WHERE id = :id", { id: profile.id });
  tx.emit({ type: "runtime_profiles_changed", workspaceId: profile.workspace_id, profileId: profile.id });
}

/** The profile within its workspace; 404 `runtime profile not found`. */
export function loadProfile(db: Tx["db"], workspaceId: string, id: string): RuntimeProfileRow {
  const sql = "SELECT * FROM runtime_profile WHERE id = :id AND workspace_id = :workspaceId";
  const row = one<RuntimeProfileRow>(db, sql, { id, workspaceId });
  if (row === undefined) throw notFound("runtime profile");
  return row;
}

function checkedColumns(input: ProfileInput): Record<string, string | number | null> {
  const columns: Record<string, string | number | null> = {};
  if (input.display_name !== undefined) {
    columns["display_name"] = input.display_name.trim();
    if (columns["display_name"] === "") throw badRequest("display_name is required");
  }
  if (input.protocol_family !== undefined) columns["protocol_family"] = family(input.protocol_family);
  if (input.command_name !== undefined) columns["command_name"] = command(input.command_name);
  if (input.description !== undefined) columns["description"] = input.description;
  if (input.fixed_args !== undefined) columns["fixed_args"] = JSON.stringify(input.fixed_args);
  if (input.visibility !== undefined) columns["visibility"] = input.visibility;
  if (input.enabled !== undefined) columns["enabled"] = input.enabled ? 1 : 0;
  return columns;
}

function family(given: string): string {
  const name = given.trim().toLowerCase();
  if ((PROTOCOL_FAMILIES as readonly string[]).includes(name)) return name;
  throw badRequest(`unsupported protocol_family: must be one of ${PROTOCOL_FAMILIES.join(", ")}`);
}

function command(given: string): string {
  const name = given.trim();
  if (name === "") throw badRequest("command_name is required");
  if (/\s/.test(name)) throw badRequest("command_name must be a single executable token; put arguments in fixed_args");
  return name;
}

function uniqueName(write: () => void): void {
  try {
    write();
  } catch (error) {
    if (isUniqueViolation(error)) throw new HttpError(409, "a runtime profile with this display_name already exists", { cause: error });
    throw error;
  }
}

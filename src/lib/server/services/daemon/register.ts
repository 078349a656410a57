import { errorText, sha256Hex } from "../../../core/index.ts";
import type { z } from "zod";
import type { registerRequestSchema } from "../../../wire/index.ts";
import type { Principal } from "../../auth/authenticate.ts";
import { all, insert, one, run, update } from "../../db/query.ts";
import { HttpError, badRequest } from "../../http-error.ts";
import { type RuntimeProfileRow, type RuntimeRow, type WorkspaceRow, objectColumn, reposOf } from "../../rows/index.ts";
import type { Tx } from "../../transaction.ts";

type Registration = z.infer<typeof registerRequestSchema>;

export interface RegisterFacts {
  readonly workspace: WorkspaceRow;
  readonly principal: Principal;
  readonly capabilities: ReadonlySet<string>;
  readonly request: Registration;
}

/**
 * Upserts the runtimes of one daemon in one workspace; ids stay across restarts. A profile that could not be resolved
 * becomes an offline row that says why. Returns the rows of the request's runtimes, in its order (server-api.md 4.1).
 */
export function registerRuntimes(tx: Tx, facts: RegisterFacts): RuntimeRow[] {
  const { request } = facts;
  const runtimes = request.runtimes ?? [];
  const failed = request.failed_profiles ?? [];
  if (request.daemon_id.trim() === "") throw badRequest("daemon_id is required");
  if (runtimes.length === 0 && failed.length === 0) throw badRequest("at least one runtime or failed profile is required");
  const rows = runtimes.map((runtime) => {
    const profile = runtime.profile_id ? enabledProfile(tx, facts.workspace.id, runtime.profile_id) : null;
    const provider = profile?.protocol_family ?? ((runtime.type ?? "").trim().toLowerCase() || "unknown");
    const version = runtime.version ?? "";
    return upsert(tx, facts, {
      provider,
      profileId: profile?.id ?? null,
      name: runtime.name || defaultName(provider, request.device_name),
      status: runtime.status === "offline" ? "offline" : "online",
      deviceInfo: [request.device_name ?? "", version].filter((part) => part !== "").join(" · "),
      metadata: { version },
    });
  });
  for (const one of failed) registerFailed(tx, facts, one);
  for (const row of rows) adoptLegacy(tx, facts, row);
  return rows;
}

/** Hash of a repository list: its URLs sorted bytewise (server-api.md 4.1); descriptions do not count. */
function reposVersion(repos: readonly { readonly url: string }[]): string {
  const sorted = repos.map((repo) => repo.url).sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  return sha256Hex(sorted.join("\n"));
}

/** The workspace's repositories with their hash and its settings, as register and the repos route answer them. */
export function repoFacts(workspace: WorkspaceRow) {
  const repos = reposOf(workspace);
  return { repos, repos_version: reposVersion(repos), settings: objectColumn(workspace.settings) };
}

interface RuntimeFacts {
  readonly provider: string;
  readonly profileId: string | null;
  readonly name: string;
  readonly status: "online" | "offline";
  readonly deviceInfo: string;
  readonly metadata: Readonly<Record<string, unknown>>;
}

function upsert(tx: Tx, facts: RegisterFacts, runtime: RuntimeFacts): RuntimeRow {
  const { request, principal, workspace } = facts;
  const known = existing(tx, workspace.id, request.daemon_id, runtime);
  const columns = {
    provider: runtime.provider,
    name: runtime.name,
    status: runtime.status,
    device_info: runtime.deviceInfo,
    metadata: JSON.stringify({
      ...runtime.metadata,
      cli_version: request.cli_version ?? "",
      launched_by: request.launched_by ?? "",
      capabilities: [...facts.capabilities],
    }),
    updated_at: tx.now,
    ...(runtime.status === "online" ? { last_seen_at: tx.now } : {}),
    ...(principal.kind === "daemon" ? {} : { owner_id: principal.userId }),
  };
  const id = known?.id ?? tx.newId();
  if (known !== undefined) update(tx.db, "agent_runtime", id, columns);
  else {
    const identity = { id, workspace_id: workspace.id, daemon_id: request.daemon_id, profile_id: runtime.profileId };
    // A daemon token registers for the user who made it; the server must always know an owner (server-api.md 5.6).
    insert(tx.db, "agent_runtime", { owner_id: principal.userId, ...columns, ...identity, created_at: tx.now });
  }
  return loadRuntime(tx, id);
}

function existing(tx: Tx, workspaceId: string, daemonId: string, runtime: Pick<RuntimeFacts, "provider" | "profileId">): RuntimeRow | undefined {
  if (runtime.profileId !== null) {
    const sql = "SELECT * FROM agent_runtime WHERE workspace_id = :workspaceId AND daemon_id = :daemonId AND profile_id = :profileId";
    return one<RuntimeRow>(tx.db, sql, { workspaceId, daemonId, profileId: runtime.profileId });
  }
  const sql = `SELECT * FROM agent_runtime
               WHERE workspace_id = :workspaceId AND daemon_id = :daemonId AND provider = :provider AND profile_id IS NULL`;
  return one<RuntimeRow>(tx.db, sql, { workspaceId, daemonId, provider: runtime.provider });
}

function registerFailed(tx: Tx, facts: RegisterFacts, failure: NonNullable<Registration["failed_profiles"]>[number]): void {
  const profile = findProfile(tx, facts.workspace.id, failure.profile_id);
  if (profile === undefined) throw badRequest(`unknown runtime profile: ${failure.profile_id}`);
  upsert(tx, facts, {
    provider: profile.protocol_family,
    profileId: profile.id,
    name: profile.display_name,
    status: "offline",
    deviceInfo: facts.request.device_name ?? "",
    metadata: {
      runtime_profile_registration_error: true,
      failure_reason: failure.reason ?? "",
      command_name: failure.command_name ?? profile.command_name,
    },
  });
}

function enabledProfile(tx: Tx, workspaceId: string, id: string): RuntimeProfileRow {
  const profile = findProfile(tx, workspaceId, id);
  if (profile === undefined) throw badRequest(`unknown runtime profile: ${id}`);
  if (profile.enabled === 0) throw new HttpError(409, `runtime profile is disabled: ${id}`);
  return profile;
}

function findProfile(tx: Tx, workspaceId: string, id: string): RuntimeProfileRow | undefined {
  return one<RuntimeProfileRow>(tx.db, "SELECT * FROM runtime_profile WHERE id = :id AND workspace_id = :workspaceId", { id, workspaceId });
}

/** Moves tasks and agents of the same machine's earlier identities to the new row, then drops the old one. */
function adoptLegacy(tx: Tx, facts: RegisterFacts, row: RuntimeRow): void {
  const ids = (facts.request.legacy_daemon_ids ?? []).map((id) => id.toLowerCase()).filter((id) => id !== facts.request.daemon_id.toLowerCase());
  if (ids.length === 0 || row.profile_id !== null) return;
  const old = all<RuntimeRow>(
    tx.db,
    `SELECT * FROM agent_runtime WHERE workspace_id = :workspaceId AND provider = :provider AND profile_id IS NULL
       AND id <> :id AND lower(daemon_id) IN (SELECT value FROM json_each(:ids))`,
    { workspaceId: row.workspace_id, provider: row.provider, id: row.id, ids: JSON.stringify(ids) },
  );
  for (const legacy of old) {
    const move = { from: legacy.id, to: row.id };
    run(tx.db, "UPDATE task SET runtime_id = :to WHERE runtime_id = :from", move);
    run(tx.db, "UPDATE task SET session_runtime_id = :to WHERE session_runtime_id = :from", move);
    run(tx.db, "UPDATE agent SET runtime_id = :to WHERE runtime_id = :from", move);
    run(tx.db, "DELETE FROM agent_runtime WHERE id = :id", { id: legacy.id });
  }
}

function loadRuntime(tx: Tx, id: string): RuntimeRow {
  const row = one<RuntimeRow>(tx.db, "SELECT * FROM agent_runtime WHERE id = :id", { id });
  if (row === undefined) throw new Error(`runtime ${id} cannot be read back`);
  return row;
}

function defaultName(provider: string, device: string | null | undefined): string {
  return device ? `${provider} (${device})` : provider;
}

/** The message of a registration that failed for a reason of ours. */
export function registerFailure(error: unknown): HttpError {
  return error instanceof HttpError ? error : new HttpError(500, `failed to register runtime: ${errorText(error)}`, { cause: error });
}

import { errorText } from "../core/index.ts";
import type { RegisterRequest, RegisterResponse, RuntimeProfile } from "../wire/index.ts";
import type { DaemonContext } from "./context.ts";
import type { Verdict } from "./holds.ts";
import { profileSignature, type ResolveProfile, resolveProfiles } from "./profiles.ts";
import type { FailedProfile, LaunchEntry, RuntimeRow } from "./runtimes.ts";

/** A built-in agent found on this machine. */
export interface BuiltinAgent extends LaunchEntry {
  readonly displayName: string;
}

/** One look at the agents of this machine; shared by every workspace that is registered in its course. */
export interface ProbeRound {
  readonly agents: readonly BuiltinAgent[];
  /** Providers whose program is certainly of no use. */
  readonly demotable: readonly Verdict[];
}

export interface RegistrationParts extends Pick<DaemonContext, "api" | "limits" | "logger" | "runtimes" | "rootSignal" | "daemonId"> {
  /** What every registration says of this machine. */
  readonly identity: { readonly legacyIds: readonly string[]; readonly deviceName: string; readonly cliVersion: string; readonly launchedBy: string };
  readonly resolveProfile: ResolveProfile;
}

export interface Prepared {
  readonly body: RegisterRequest;
  /** "" when the profile list could not be read. */
  readonly signature: string;
  readonly providers: ReadonlySet<string>;
  readonly failed: readonly FailedProfile[];
}

/** The request for one workspace: the agents of this machine and the workspace's profiles that can be started here (daemon.md 7.3, 7.5). */
export async function prepareRegistration(parts: RegistrationParts, workspaceId: string, round: ProbeRound, builtinsOnly: boolean): Promise<Prepared> {
  const { runtimes, identity } = parts;
  const profiles = builtinsOnly ? null : await fetchProfiles(parts, workspaceId);
  const resolved = await resolveProfiles(profiles ?? [], parts.resolveProfile, parts.logger);
  for (const { profile, entry } of resolved.launches) runtimes.setProfileLaunch(profile.id, entry);
  const suffix = identity.deviceName === "" ? "" : ` (${identity.deviceName})`;
  const rows = [
    ...round.agents.map((agent) => ({ name: agent.displayName + suffix, type: agent.provider, version: agent.version, status: "online" })),
    ...resolved.launches.map(({ profile, entry }) => ({
      name: profile.display_name + suffix,
      type: entry.provider,
      version: entry.version,
      status: "online",
      profile_id: profile.id,
    })),
  ];
  return {
    signature: profiles === null ? "" : profileSignature(profiles),
    failed: resolved.failed,
    providers: new Set(round.agents.map((agent) => agent.provider)),
    body: {
      workspace_id: workspaceId,
      daemon_id: parts.daemonId,
      legacy_daemon_ids: [...identity.legacyIds],
      device_name: identity.deviceName,
      cli_version: identity.cliVersion,
      launched_by: identity.launchedBy,
      runtimes: rows,
      failed_profiles: [...resolved.failed],
    },
  };
}

/** Null when the list cannot be had (old servers: 404): registration goes on with built-in agents only. */
async function fetchProfiles(parts: RegistrationParts, workspaceId: string): Promise<RuntimeProfile[] | null> {
  const { api, limits, logger, rootSignal } = parts;
  try {
    return await api.runtimeProfiles(workspaceId, { timeoutMs: limits.profileRefreshTimeout, signal: rootSignal });
  } catch (error) {
    rootSignal.throwIfAborted();
    logger.info("runtime profiles not available; built-in agents only", { workspace: workspaceId, error: errorText(error) });
    return null;
  }
}

/** True when there is nothing to tell the server. */
export function isEmpty(body: RegisterRequest): boolean {
  return (body.runtimes ?? []).length === 0 && (body.failed_profiles ?? []).length === 0;
}

/**
 * The row of an answer that this request asked for. A failed profile comes back as an offline row:
 * it is shown to users, but this machine cannot serve it.
 */
export function rowOf(row: RegisterResponse["runtimes"][number], body: RegisterRequest): RuntimeRow[] {
  const profileId = row.profile_id ?? null;
  if (profileId !== null && (body.failed_profiles ?? []).some((failed) => failed.profile_id === profileId)) return [];
  return [{ id: row.id, name: row.name, provider: row.provider, profileId }];
}

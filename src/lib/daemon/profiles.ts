import type { ProfileResolution } from "../agents/index.ts";
import { sha256Hex } from "../core/index.ts";
import type { Logger } from "../platform/logger.ts";
import type { RuntimeProfile } from "../wire/index.ts";
import type { FailedProfile, LaunchEntry } from "./runtimes.ts";

export interface ResolvedProfiles {
  readonly launches: readonly { readonly profile: RuntimeProfile; readonly entry: LaunchEntry }[];
  readonly failed: readonly FailedProfile[];
}

/** Where a profile's command is on this machine, overrides of this machine included. */
export type ResolveProfile = (profile: RuntimeProfile) => Promise<ProfileResolution>;

/**
 * Resolves a workspace's custom profiles in the given order (daemon.md 7.5): what can be launched, and what is
 * reported as failed, so that users see why a runtime is missing.
 */
export async function resolveProfiles(profiles: readonly RuntimeProfile[], resolve: ResolveProfile, logger: Logger): Promise<ResolvedProfiles> {
  const launches: { profile: RuntimeProfile; entry: LaunchEntry }[] = [];
  const failed: FailedProfile[] = [];
  for (const profile of profiles) {
    const outcome = await resolve(profile);
    if (outcome.kind === "found") {
      const { provider, path, version } = outcome;
      launches.push({ profile, entry: { provider, path, version, fixedArgs: [...(profile.fixed_args ?? [])], profileId: profile.id } });
      logger.info("custom profile resolved", { profile: profile.id, provider, path });
    } else {
      logger.warn("custom profile cannot run here", { profile: profile.id, reason: outcome.reason });
      if (outcome.kind === "failed") failed.push({ profile_id: profile.id, command_name: profile.command_name, reason: outcome.reason });
    }
  }
  return { launches, failed };
}

const FIELD_END = "\u001f";
const PROFILE_END = "\u001e";

/**
 * A digest of what decides registration: order of the list and display texts do not count,
 * and no two argument lists look alike. The empty list has a constant of its own; "" means unknown.
 */
export function profileSignature(profiles: readonly RuntimeProfile[]): string {
  if (profiles.length === 0) return "0";
  const parts = [...profiles]
    .sort((a, b) => (a.id < b.id ? -1 : 1))
    .map((profile) => {
      const fields = [profile.id, String(profile.enabled), profile.protocol_family, profile.command_name, profile.visibility ?? ""];
      return [...fields, ...(profile.fixed_args ?? [])].map((field) => field + FIELD_END).join("") + PROFILE_END;
    });
  return sha256Hex(parts.join(""));
}

import { isAbsolute } from "node:path";
import { sha256Hex } from "../core/index.ts";
import type { Logger } from "../platform/logger.ts";
import type { RuntimeProfile } from "../wire/index.ts";
import type { LaunchEntry } from "./runtimes.ts";

/** How a command of a custom profile is found on this machine; null = not there. */
export interface CommandLookup {
  /** An absolute path that may be executed, or null: a bare name is searched on PATH, a path is checked. */
  find(command: string): Promise<string | null>;
  /** The version text, "" when it cannot be read. */
  version(path: string): Promise<string>;
  /** True when this build has an adapter for the family. */
  hasFamily(family: string): boolean;
}

export type FailedProfile = {
  readonly profile_id: string;
  readonly command_name: string;
  readonly reason: string;
};

export interface ResolvedProfiles {
  readonly launches: readonly { readonly profile: RuntimeProfile; readonly entry: LaunchEntry }[];
  readonly failed: readonly FailedProfile[];
}

/**
 * Resolves a workspace's custom profiles on this machine, in the given order (daemon.md 7.5).
 * `overrides` maps profile ids to absolute commands of this machine; an unusable one is noted and PATH is searched.
 */
export async function resolveProfiles(
  profiles: readonly RuntimeProfile[],
  overrides: Readonly<Record<string, string>>,
  lookup: CommandLookup,
  logger: Logger,
): Promise<ResolvedProfiles> {
  const launches: { profile: RuntimeProfile; entry: LaunchEntry }[] = [];
  const failed: FailedProfile[] = [];
  for (const profile of profiles) {
    const command = profile.command_name.trim();
    const family = profile.protocol_family.trim();
    if (command === "" || family === "") {
      logger.warn("custom profile without command or family skipped", { profile: profile.id });
      continue;
    }
    const fail = (reason: string): void => {
      failed.push({ profile_id: profile.id, command_name: command, reason });
      logger.warn("custom profile cannot run here", { profile: profile.id, reason });
    };
    if (!lookup.hasFamily(family)) {
      fail(`unsupported protocol_family: ${family}`);
      continue;
    }
    const found = await findCommand(command, overrides[profile.id], lookup);
    if (found.path === null) {
      fail(found.reason);
      continue;
    }
    const version = await lookup.version(found.path);
    const fixedArgs = [...(profile.fixed_args ?? [])];
    launches.push({ profile, entry: { provider: family, path: found.path, version, fixedArgs, profileId: profile.id } });
    logger.info("custom profile resolved", { profile: profile.id, path: found.path, override: found.overridden });
  }
  return { launches, failed };
}

type Found = { readonly path: string; readonly overridden: boolean } | { readonly path: null; readonly reason: string };

async function findCommand(command: string, override: string | undefined, lookup: CommandLookup): Promise<Found> {
  const notes: string[] = [];
  if (override !== undefined) {
    const path = isAbsolute(override) ? await lookup.find(override) : null;
    if (path !== null) return { path, overridden: true };
    notes.push(`Configured path override is not executable: ${override}`);
  }
  const path = await lookup.find(command);
  if (path !== null) return { path, overridden: false };
  return { path: null, reason: [...notes, `command not found on PATH: ${command}`].join("; ") };
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

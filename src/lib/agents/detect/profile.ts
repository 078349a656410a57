import { findProvider } from "../registry.ts";
import { planPrefix } from "../launch/plan.ts";
import { type Env, isExecutableFile } from "../../platform/index.ts";
import { lookupCommand } from "./path.ts";
import { probeVersion } from "./probe.ts";

/** A custom runtime as the server delivers it. */
export interface RuntimeProfile {
  readonly id: string;
  readonly displayName: string;
  readonly protocolFamily: string;
  readonly commandName: string;
  readonly fixedArgs: readonly string[];
}

/** `skipped`: only worth a log line. `failed`: reported to the server with its reason (agents.md 3.7). */
export type ProfileResolution =
  | { readonly kind: "found"; readonly provider: string; readonly path: string; readonly version: string }
  | { readonly kind: "failed"; readonly reason: string }
  | { readonly kind: "skipped"; readonly reason: string };

export interface ProfileLookup {
  readonly env: Env;
  readonly cwd: string;
  readonly hooksDir?: string;
  /** Command that this machine was told to use for the profile. */
  readonly override?: string;
  readonly probeTimeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** Where a profile's command is on this machine. No minimum version is asked of it: the user chose it. */
export async function resolveProfile(profile: RuntimeProfile, lookup: ProfileLookup): Promise<ProfileResolution> {
  const command = profile.commandName.trim();
  const family = profile.protocolFamily.trim();
  if (command === "" || family === "") return { kind: "skipped", reason: "the profile has no command or no protocol family" };
  const spec = findProvider(family);
  if (spec === undefined || !spec.profileFamily) return { kind: "failed", reason: `unsupported protocol_family: ${family}` };
  const override = lookup.override?.trim() ?? "";
  const refused = override !== "" && !isExecutableFile(override) ? `Configured path override is not executable: ${override}` : "";
  const path = override !== "" && refused === "" ? override : lookupCommand(command, where(lookup));
  if (path === null) {
    return { kind: "failed", reason: [refused, `command not found on PATH: ${command}`].filter((part) => part !== "").join("; ") };
  }
  const probe = await probeVersion({
    executable: path,
    prefix: planPrefix(spec, profile.fixedArgs, lookup.env),
    probeArgs: spec.version.probeArgs,
    env: lookup.env,
    cwd: lookup.cwd,
    ...(lookup.probeTimeoutMs === undefined ? {} : { timeoutMs: lookup.probeTimeoutMs }),
    ...(lookup.signal === undefined ? {} : { signal: lookup.signal }),
  });
  return { kind: "found", provider: spec.id, path, version: probe.ok ? probe.version : "" };
}

function where(lookup: ProfileLookup): { path: string; cwd: string; hooksDir?: string } {
  const base = { path: lookup.env.PATH ?? "", cwd: lookup.cwd };
  return lookup.hooksDir === undefined ? base : { ...base, hooksDir: lookup.hooksDir };
}

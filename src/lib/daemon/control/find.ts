import { createLocalPortClient } from "../../api/index.ts";
import { EXIT, MulticaError } from "../../core/index.ts";
import type { ProcessIdentity } from "../../platform/index.ts";
import type { Health } from "../../wire/index.ts";
import { readDaemonInfo } from "../files.ts";
import { stateDirHolder } from "../single.ts";

/** Which daemon a command means. */
export interface DaemonTarget {
  readonly stateDir: string;
  /** "" = the default profile. */
  readonly profile: string;
  /** The profile's port, or what `--port` said; 0 = only the published one. */
  readonly port: number;
}

export type FoundDaemon =
  /** Nothing answers. `holder`: the process that still has the state directory: it ends, has only begun, or hangs. */
  | { readonly kind: "stopped"; readonly holder: ProcessIdentity | null }
  | { readonly kind: "alive"; readonly port: number; readonly health: Health }
  /** Something answers on the port we want, and it is not the daemon that was meant. */
  | { readonly kind: "foreign"; readonly port: number; readonly profile?: string; readonly reason: string };

/**
 * Looks for the daemon of a state directory: on the published port first, then on the profile's own (decision 7).
 * Nothing but an established identity makes it "alive" (daemon.md 2.7).
 */
export async function findDaemon(target: DaemonTarget, timeoutMs = 2000, options: { readonly queue?: boolean } = {}): Promise<FoundDaemon> {
  const published = readDaemonInfo(target.stateDir)?.port;
  let foreign: FoundDaemon | undefined;
  for (const port of new Set([published, target.port])) {
    if (port === undefined || port === 0) continue;
    const health = await createLocalPortClient({ port }).health(timeoutMs, options);
    if (health === null || (health.status !== "running" && health.status !== "starting")) continue;
    const refusal = identityRefusal(health, target, port);
    if (refusal === null) return { kind: "alive", port, health };
    // A stale file may name a port that another daemon has by now; only the port we want is a conflict.
    if (port === target.port) foreign = { kind: "foreign", port, ...refusal };
  }
  return foreign ?? { kind: "stopped", holder: stateDirHolder(target.stateDir) };
}

/** Why this health answer is not of the daemon that was meant; null when it is. Absent fields are an older daemon: accepted. */
function identityRefusal(health: Health, target: DaemonTarget, port: number): { reason: string; profile?: string } | null {
  const { profile, state_root: stateRoot } = health;
  if (profile !== undefined && typeof profile !== "string") return { reason: `the daemon on port ${port} has an unreadable identity` };
  if (profile !== undefined && profile !== target.profile) {
    return {
      profile,
      reason: `port ${port} belongs to the daemon of ${profileName(profile)}, not of ${profileName(target.profile)}: both names map to the same port`,
    };
  }
  if (typeof stateRoot === "string" && stateRoot !== target.stateDir) {
    return { profile: target.profile, reason: `port ${port} belongs to a daemon with another state directory (${stateRoot})` };
  }
  return null;
}

function profileName(profile: string): string {
  return profile === "" ? "the default profile" : `profile ${profile}`;
}

/** The error of a command that would act on a daemon that is not the one that was meant. */
export function foreignError(found: Extract<FoundDaemon, { kind: "foreign" }>): MulticaError {
  return new MulticaError("foreign_daemon", found.reason, {
    exit: EXIT.conflict,
    suggestions: ["Choose another port with --port (0 takes any free one), or stop that daemon with its own profile."],
    details: { port: found.port, ...(found.profile === undefined ? {} : { profile: found.profile }) },
  });
}

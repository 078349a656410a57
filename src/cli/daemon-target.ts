import { profilePort, type RunContext } from "../lib/config/index.ts";
import { EXIT, MulticaError } from "../lib/core/index.ts";
import { pathExists } from "../lib/platform/index.ts";
import { knownProfiles } from "./profiles.ts";

export interface TargetInput {
  readonly context: RunContext;
  readonly port: number | undefined;
}

/** The daemon that a command means: state directory, profile and the port it would have (decision 7). */
export function daemonTarget({ context, port }: TargetInput): { stateDir: string; profile: string; port: number } {
  return { stateDir: context.stateDir, profile: context.profile, port: port ?? profilePort(context.profile) };
}

/** Refuses a profile that nobody ever made (exit 4), naming the known ones; starting or signing in makes one (cli.md 5.4). */
export async function requireKnownProfile(context: RunContext, roots: { env: Readonly<Record<string, string | undefined>>; home: string }): Promise<void> {
  if (context.profile === "" || (await pathExists(context.stateDir))) return;
  const known = knownProfiles(roots);
  throw new MulticaError("unknown_profile", `there is no profile ${JSON.stringify(context.profile)}`, {
    exit: EXIT.notFound,
    suggestions:
      known.length === 0
        ? [`multica --profile ${context.profile} login would make it.`]
        : [`Known profiles: ${known.join(", ")}.`],
    details: { profile: context.profile, known_profiles: known },
  });
}

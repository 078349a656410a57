import { join } from "node:path";
import { type Detection, detectAgents, getProvider, locateAgents, type ProfileResolution, resolveProfile } from "../agents/index.ts";
import { readSettings } from "../config/index.ts";
import { errorText } from "../core/index.ts";
import type { Env } from "../platform/index.ts";
import type { DaemonContext } from "./context.ts";
import type { ResolveProfile } from "./profiles.ts";
import type { ProbeRound } from "./registration.ts";
import type { LaunchEntry } from "./runtimes.ts";

export interface Discovery {
  /** One look at the agents of this machine; publishes what it found. Rounds that overlap share one look. */
  probe(): Promise<ProbeRound>;
  /** Providers whose executable is there; starts no agent, and the login shell seldom. */
  locate(): Promise<readonly string[]>;
  readonly resolveProfile: ResolveProfile;
  /** The entry as it can be started now: a built-in agent whose file was replaced is looked for again (daemon.md 5.6). */
  heal(entry: LaunchEntry): Promise<LaunchEntry>;
  /** Agents of the last round that cannot be used, with the reason. Absent ones are not listed. */
  skipped(): Readonly<Record<string, string>>;
}

type Parts = Pick<DaemonContext, "config" | "clock" | "limits" | "env" | "logger" | "runtimes" | "rootSignal"> & { readonly home: string };

/** Finds agents for registration (daemon.md 5.5): the providers themselves and their versions are the agents room's knowledge. */
export function createDiscovery(parts: Parts): Discovery {
  const { runtimes } = parts;
  let skipped: Record<string, string> = {};
  let running: Promise<ProbeRound> | undefined;
  let firstRound = true;

  const shell = shellRule(parts);
  let shellAt = parts.clock.monotonic();
  const locate = (): Promise<readonly string[]> => {
    const due = parts.clock.monotonic() - shellAt >= parts.limits.loginShellEvery;
    if (due) shellAt = parts.clock.monotonic();
    const env = due ? parts.env : { ...parts.env, SHELL: "" };
    return locateAgents({ env, home: parts.home, cwd: parts.config.stateDir, signal: parts.rootSignal });
  };

  const look = async (): Promise<ProbeRound> => {
    const found = await shell((env) => detectAgents({ env, home: parts.home, cwd: parts.config.stateDir, signal: parts.rootSignal }));
    skipped = skippedOf(found);
    if (firstRound) for (const [provider, reason] of Object.entries(skipped)) parts.logger.warn("skip registering runtime", { provider, reason });
    firstRound = false;
    // A provider that does not resolve this time is kept: a passing hiccup must not tear working runtimes down.
    const builtins = new Map<string, LaunchEntry>(runtimes.builtins);
    for (const agent of found.agents) {
      builtins.set(agent.provider, { provider: agent.provider, path: agent.path, version: agent.version, fixedArgs: [], profileId: null, source: agent.source });
    }
    runtimes.setBuiltins(builtins);
    return {
      agents: found.agents.map(({ provider, path, version }) => ({
        provider,
        path,
        version,
        fixedArgs: [],
        profileId: null,
        displayName: getProvider(provider).displayName,
      })),
    };
  };

  return {
    probe: () => (running ??= look().finally(() => (running = undefined))),
    locate,
    resolveProfile: (profile): Promise<ProfileResolution> => {
      const override = overrideOf(parts, profile.id);
      return resolveProfile(
        {
          id: profile.id,
          displayName: profile.display_name,
          protocolFamily: profile.protocol_family,
          commandName: profile.command_name,
          fixedArgs: profile.fixed_args ?? [],
        },
        {
          env: parts.env,
          cwd: parts.config.stateDir,
          hooksDir: join(parts.home, ".multica", "hooks"),
          signal: parts.rootSignal,
          ...(override === undefined ? {} : { override }),
        },
      );
    },
    heal: (entry) => Promise.resolve(entry),
    skipped: () => skipped,
  };
}

/**
 * Detection asks the login shell for what is not on PATH, and a daemon that waits for an agent looks every half minute. A shell
 * that knew nothing is not asked again for a while (daemon.md 5.3); one that did is: its answers are needed each time.
 */
function shellRule({ clock, env, limits }: Parts): (look: (env: Readonly<Env>) => Promise<Detection>) => Promise<Detection> {
  let emptyAt: number | undefined;
  return async (look) => {
    if (emptyAt !== undefined && clock.monotonic() - emptyAt < limits.loginShellEvery) return look({ ...env, SHELL: "" });
    const found = await look(env);
    emptyAt = found.agents.some((agent) => agent.source === "login-shell") ? undefined : clock.monotonic();
    return found;
  };
}

/**
 * The command this machine was told to use for a profile. Read anew each time, unlike every other setting: `set-path` is
 * what a person does when a profile failed here, and the profile's next change should find it.
 */
function overrideOf({ config, logger }: Parts, profileId: string): string | undefined {
  try {
    return readSettings(config.stateDir).profile_command_overrides?.[profileId];
  } catch (error) {
    logger.warn("settings not readable; the paths read at start apply", { error: errorText(error) });
    return config.profileCommands[profileId];
  }
}

function skippedOf(found: Detection): Record<string, string> {
  const present = found.skipped.filter(({ reason }) => !reason.startsWith("executable not found"));
  return Object.fromEntries(present.map(({ provider, reason }) => [provider, reason]));
}

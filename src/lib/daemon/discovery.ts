import { join } from "node:path";
import { type DetectedAgent, type Detection, type SkippedAgent, detectAgents, findProvider, getProvider, healAgent, locateAgents, type ProfileResolution, resolveProfile } from "../agents/index.ts";
import { readSettings } from "../config/index.ts";
import { errorText } from "../core/index.ts";
import type { Env } from "../platform/index.ts";
import type { DaemonContext } from "./context.ts";
import { Holds, type Verdict } from "./holds.ts";
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
  readonly holds: Holds;
}

type Parts = Pick<DaemonContext, "config" | "clock" | "limits" | "env" | "logger" | "runtimes" | "rootSignal"> & { readonly home: string };

/** Finds agents for registration (daemon.md 5.5): the providers themselves and their versions are the agents room's knowledge. */
export function createDiscovery(parts: Parts): Discovery {
  const { runtimes, logger } = parts;
  const holds = new Holds();
  const confirm = confirmer(parts);
  let skipped: Record<string, string> = {};
  let running: Promise<ProbeRound> | undefined;

  const shell = shellRule(parts);
  let shellAt = parts.clock.monotonic();
  const where = (): Omit<Parameters<typeof detectAgents>[0], "env"> => ({ home: parts.home, cwd: parts.config.stateDir, signal: parts.rootSignal, clock: parts.clock, pinned: pinned(runtimes.builtins) });
  const locate = (): Promise<readonly string[]> => {
    const due = parts.clock.monotonic() - shellAt >= parts.limits.loginShellEvery;
    if (due) shellAt = parts.clock.monotonic();
    return locateAgents({ ...where(), env: due ? parts.env : { ...parts.env, SHELL: "" } });
  };

  const look = async (): Promise<ProbeRound> => {
    const sequence = holds.sequence;
    const found = await shell((env) => detectAgents({ ...where(), env }));
    parts.rootSignal.throwIfAborted();
    const before = skipped;
    skipped = skippedOf(found);
    for (const [provider, reason] of Object.entries(skipped)) if (before[provider] !== reason) logger.warn("skip registering runtime", { provider, reason });
    for (const { provider } of found.agents) if (holds.release(provider, sequence)) logger.info("agent CLI usable again", { provider });
    // One that was condemned while this look was under way does not come back by it.
    const agents = found.agents.filter(({ provider }) => !holds.isHeld(provider)).map((agent) => withKnownVersion(agent, runtimes.builtins.get(agent.provider)));
    // A provider that does not resolve this time is kept: a passing hiccup must not tear working runtimes down.
    runtimes.setBuiltins(new Map([...runtimes.builtins, ...agents.map((agent) => [agent.provider, entryOf(agent)] as const)]));
    return {
      agents: agents.map((agent) => ({ ...entryOf(agent), displayName: getProvider(agent.provider).displayName })),
      demotable: confirm(found),
    };
  };

  return {
    holds,
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
    heal: healer(parts, where),
    skipped: () => skipped,
  };
}

function entryOf({ provider, path, version, source }: DetectedAgent): LaunchEntry {
  return { provider, path, version, fixedArgs: [], profileId: null, source };
}

/** A version that could not be read never replaces a known one (daemon.md 5.4). */
function withKnownVersion(agent: DetectedAgent, known: LaunchEntry | undefined): DetectedAgent {
  return agent.version === "" && known !== undefined ? { ...agent, version: known.version } : agent;
}

function pinned(builtins: ReadonlyMap<string, LaunchEntry>): ReadonlyMap<string, { readonly path: string; readonly source: DetectedAgent["source"] }> {
  return new Map([...builtins].map(([provider, { path, source }]) => [provider, { path, source: (source ?? "path") as DetectedAgent["source"] }]));
}

/** Makes verdicts of what a look has skipped; a file that cannot be executed must be so twice, some time apart (daemon.md 5.5). */
function confirmer({ clock, limits }: Parts): (found: Detection) => Verdict[] {
  const since = new Map<string, number>();
  const confirmed = ({ provider, cause }: SkippedAgent): boolean => {
    if (cause !== "not_executable") return cause === "below_minimum";
    const first = since.get(provider) ?? clock.monotonic();
    since.set(provider, first);
    return clock.monotonic() - first >= limits.notExecutableFor;
  };
  return ({ agents, skipped }) => {
    for (const { provider } of agents) since.delete(provider);
    return skipped.filter(confirmed).map(({ provider, reason, cause }) => ({ provider, evidence: reason, code: cause === "not_executable" ? cause : null }));
  };
}

/** Path and version of a built-in agent are published as one pair, so that no version's rules are applied to another (daemon.md 5.6). */
function healer({ env, logger, runtimes }: Parts, where: () => Omit<Parameters<typeof detectAgents>[0], "env">): Discovery["heal"] {
  const healing = new Map<string, Promise<LaunchEntry>>();
  const heal = async (entry: LaunchEntry): Promise<LaunchEntry> => {
    const spec = findProvider(entry.provider);
    if (spec === undefined) return entry;
    const { path, version, provider } = entry;
    const outcome = await healAgent(spec, { provider, path, version, source: (entry.source ?? "path") as DetectedAgent["source"] }, { ...where(), env });
    if ("reason" in outcome) {
      logger.warn("the agent's program is gone, and no other can take its place", { provider, path, reason: outcome.reason });
      return entry;
    }
    if (outcome.path === path) return entry;
    const healed = entryOf(outcome);
    runtimes.setBuiltins(new Map([...runtimes.builtins, [provider, healed]]));
    logger.info("the agent's program was replaced; the new one is used", { provider, from: path, to: outcome.path, version: outcome.version });
    return healed;
  };
  return (entry) => {
    if (entry.profileId !== null) return Promise.resolve(entry);
    const running = healing.get(entry.provider);
    if (running !== undefined) return running;
    const started = heal(entry).finally(() => healing.delete(entry.provider));
    healing.set(entry.provider, started);
    return started;
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

import { errorText } from "../../core/index.ts";
import type { DaemonContext } from "../context.ts";
import { demote } from "../demotion.ts";
import type { Holds } from "../holds.ts";
import type { Registrar } from "../register.ts";
import type { ProbeRound } from "../registration.ts";
import type { WorkspaceState } from "../runtimes.ts";
import { ProfileWatch } from "./profile-watch.ts";

export interface DiscoveryParts extends Pick<DaemonContext, "barrier" | "clock" | "limits" | "logger" | "runtimes" | "rootSignal"> {
  readonly registrar: Pick<Registrar, "register" | "deregister" | "recheckProfiles">;
  readonly holds: Holds;
  /** Providers whose executable is there. */
  locate(): Promise<readonly string[]>;
  probe(): Promise<ProbeRound>;
  /** Asks for a sync: it registers the workspaces that have no runtime at all. */
  requestSync(): void;
}

const MOST_DOUBLINGS = 4;
const NO_ROUND: ProbeRound = { agents: [], demotable: [] };

/**
 * Keeps what is known of this machine's agents current without a restart (daemon.md 5.7): a look at the file system every two
 * minutes, where programs are started only when a workspace lacks what was seen; every ten minutes all are asked for their
 * versions. Workspaces without any runtime are the sync loop's: it is asked to look at them.
 */
export async function runDiscovery(parts: DiscoveryParts): Promise<void> {
  const { clock, limits, logger, rootSignal } = parts;
  const memory: Memory = { seen: new Set(), fruitless: 0, notBefore: 0 };
  const profiles = new ProfileWatch(parts);
  let refreshAt = clock.monotonic() + limits.versionRefresh;
  while (!rootSignal.aborted) {
    try {
      await clock.sleep(limits.discovery, rootSignal);
      await lookOnce(parts, memory);
      await profiles.look();
      if (clock.monotonic() < refreshAt) continue;
      refreshAt = clock.monotonic() + limits.versionRefresh;
      await refreshVersions(parts);
    } catch (error) {
      if (rootSignal.aborted) return;
      logger.warn("looking for new agents failed", { error: errorText(error) });
    }
  }
}

/** Asks all agents for their versions, takes useless ones offline and tells the server of versions that changed. */
async function refreshVersions(parts: DiscoveryParts): Promise<void> {
  const { logger, registrar, runtimes, rootSignal } = parts;
  // A machine without agents has nothing to ask.
  if (runtimes.builtins.size === 0 && parts.holds.list().length === 0) return;
  const round = await parts.probe();
  await demote(parts, round.demotable);
  for (const workspace of served(parts)) {
    const changed = round.agents.filter(({ provider, version }) => {
      const sent = workspace.sentVersions.get(provider);
      return sent !== undefined && sent !== version;
    });
    if (changed.length === 0 || rootSignal.aborted) continue;
    for (const { provider, version } of changed) {
      logger.info("agent CLI version changed", { workspace: workspace.id, provider, from: workspace.sentVersions.get(provider), to: version });
    }
    try {
      await registrar.register(workspace.id, round, { builtinsOnly: true });
    } catch (error) {
      // Nothing was recorded: the next round tries again.
      if (!rootSignal.aborted) logger.warn("registering the new version failed", { workspace: workspace.id, error: errorText(error) });
    }
  }
}

interface Memory {
  /** Providers of the last look. */
  seen: ReadonlySet<string>;
  /** Rounds in a row that led to nothing, and when the next one may begin (monotonic). */
  fruitless: number;
  notBefore: number;
}

async function lookOnce(parts: DiscoveryParts, memory: Memory): Promise<void> {
  const { clock, limits, runtimes } = parts;
  const located = await parts.locate();
  const appeared = located.some((provider) => !memory.seen.has(provider));
  memory.seen = new Set(located);
  const lacking = (): WorkspaceState[] => served(parts).filter((workspace) => located.some((provider) => !has(parts, workspace, provider)));
  const empty = located.length > 0 && runtimes.workspaces().some((workspace) => workspace.runtimeIds.length === 0);
  if (lacking().length === 0 && !empty) {
    memory.fruitless = 0;
    memory.notBefore = 0;
    return;
  }
  if (!appeared && clock.monotonic() < memory.notBefore) return;
  if (empty) parts.requestSync();
  const round = lacking().length === 0 ? NO_ROUND : await parts.probe();
  let progress = false;
  for (const workspace of lacking()) {
    const missing = round.agents.filter((agent) => !has(parts, workspace, agent.provider));
    if (missing.length === 0 || runtimes.workspace(workspace.id) === undefined) continue;
    const outcome = await parts.registrar.register(workspace.id, round, { builtinsOnly: true }).catch((error: unknown) => {
      parts.rootSignal.throwIfAborted();
      parts.logger.warn("registering an agent that appeared failed", { workspace: workspace.id, error: errorText(error) });
      return null;
    });
    if (outcome === null) continue;
    progress ||= outcome.kind === "registered";
    for (const { provider, version } of missing) parts.logger.info("agent CLI discovered after startup", { workspace: workspace.id, provider, version });
  }
  memory.fruitless = progress ? 0 : Math.min(memory.fruitless + 1, MOST_DOUBLINGS);
  memory.notBefore = progress ? 0 : clock.monotonic() + limits.discovery * 2 ** (memory.fruitless - 1);
}

function served({ runtimes }: DiscoveryParts): WorkspaceState[] {
  return runtimes.workspaces().filter((workspace) => workspace.runtimeIds.length > 0);
}

function has({ runtimes }: DiscoveryParts, workspace: WorkspaceState, provider: string): boolean {
  return workspace.runtimeIds.some((id) => {
    const runtime = runtimes.get(id);
    return runtime?.provider === provider && runtime.profileId === null;
  });
}

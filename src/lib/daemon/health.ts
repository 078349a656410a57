import { formatDuration } from "../core/index.ts";
import { currentPid, platformName } from "../platform/index.ts";
import { type Health, WIRE_VERSION } from "../wire/index.ts";
import type { DaemonContext } from "./context.ts";
import type { PresenceHealth } from "./health-presence.ts";
import { type OutboxFacts, outboxFacts } from "./outbox/flush.ts";

export interface HealthFacts extends Pick<DaemonContext, "clock" | "profile" | "stateDir" | "daemonId" | "serverUrl" | "runtimes" | "barrier" | "counters" | "exec" | "state" | "outbox" | "recent" | "repoCache"> {
  readonly startedAt: number;
  readonly version: string;
  readonly deviceName: string;
  readonly launchedBy: string;
  ready(): boolean;
  /** Why a restart waits for the daemon to be idle; empty when none does. */
  pendingReload(): string;
  skippedAgents(): Readonly<Record<string, string>>;
  /** The link to the server, and what waits there. */
  presence(): PresenceHealth;
}

/** What `GET /health` answers (daemon.md 13.2): read from memory only, so that it never waits for anything. */
export function healthOf(facts: HealthFacts): Health {
  const skipped = facts.skippedAgents();
  const repos = facts.repoCache.activity();
  const uptimeMs = Math.max(0, facts.clock.monotonic() - facts.startedAt);
  return {
    status: facts.ready() ? "running" : "starting",
    pid: currentPid(),
    os: platformName(),
    uptime: formatDuration(Math.floor(uptimeMs / 1000) * 1000),
    profile: facts.profile,
    state_root: facts.stateDir,
    daemon_id: facts.daemonId,
    device_name: facts.deviceName,
    server_url: facts.serverUrl,
    cli_version: WIRE_VERSION,
    version: facts.version,
    ...(facts.barrier.closed ? { stopping: true } : {}),
    ...(facts.launchedBy === "" ? {} : { launched_by: facts.launchedBy }),
    ...(facts.pendingReload() === "" ? {} : { reload_pending_reason: facts.pendingReload() }),
    active_task_count: facts.barrier.activeTasks,
    running_task_count: facts.counters.running,
    resource_wait_task_count: facts.counters.resourceWait,
    ...(repos.maintenance === 0 ? {} : { repo_maintenance_active: repos.maintenance }),
    ...(repos.waiters === 0 ? {} : { repo_checkout_waiters: repos.waiters }),
    agents: [...facts.runtimes.builtins.keys()].sort(),
    found_agents: [...facts.runtimes.builtins.values()].map(({ provider, path, version, source }) => ({ provider, path, version, source: source ?? "" })),
    custom_agents: customAgents(facts.runtimes),
    ...failedProfiles(facts.runtimes),
    ...(Object.keys(skipped).length === 0 ? {} : { skipped_agents: { ...skipped } }),
    workspaces: facts.runtimes.workspaces().map((workspace) => ({ id: workspace.id, runtimes: [...workspace.runtimeIds] })),
    ...facts.presence(),
    exec_processes: processCounts(facts),
    recent: facts.recent.list().map((ending) => ({ ...ending })),
    waiting_for: waitingFor(facts),
    state: stateOf(facts),
    ...(facts.outbox === null ? {} : { outbox: waitingReports(outboxFacts(facts.outbox)) }),
  };
}

/** What runtime profiles start here, once for all workspaces. */
function customAgents(runtimes: HealthFacts["runtimes"]): { readonly name: string; readonly provider: string; readonly path: string }[] {
  const found = new Map<string, { name: string; provider: string; path: string }>();
  for (const id of runtimes.ids()) {
    const runtime = runtimes.get(id);
    if (runtime?.profileId === undefined || runtime.profileId === null) continue;
    found.set(runtime.profileId, { name: runtime.name, provider: runtime.provider, path: runtimes.launchEntry(id)?.path ?? "" });
  }
  return [...found.values()];
}

/** Runtime profiles that cannot be started on this machine, once for all workspaces; absent when there is none. */
function failedProfiles(runtimes: HealthFacts["runtimes"]): Pick<Health, "failed_profiles"> {
  const failed = new Map(runtimes.workspaces().flatMap((workspace) => workspace.failedProfiles.map((one) => [one.profile_id, { ...one }] as const)));
  return failed.size === 0 ? {} : { failed_profiles: [...failed.values()] };
}

/** `memory`: nothing is written down; `full`, `io`, `busy`: what is new waits in memory (state-db.md 20.3). */
function stateOf({ state }: Pick<HealthFacts, "state">): string {
  return state === null ? "memory" : (state.trouble ?? "ok");
}

function waitingReports(facts: OutboxFacts): Record<string, unknown> {
  const { oldestMs, ...counts } = facts;
  return { ...counts, oldest_at: oldestMs === null ? null : new Date(oldestMs).toISOString() };
}

/** Living processes under exec hosts by state. */
function processCounts({ exec }: HealthFacts): { attached: number; detached: number } {
  const records = exec?.list() ?? [];
  const count = (...states: readonly string[]): number => records.filter((record) => states.includes(record.state)).length;
  return { attached: count("attached", "starting"), detached: count("detached") };
}

/** Why the daemon cannot take work, in words for a person; null when it can (decision 16). */
function waitingFor(facts: HealthFacts): string | null {
  if (!facts.ready() || facts.runtimes.size > 0) return null;
  if (facts.runtimes.workspaces().length === 0) return "a workspace: the account has none yet";
  return "an agent: none was found on this machine and no runtime profile fits";
}

import { isTransient } from "../api/index.ts";
import { KeyedMutex, errorText, MulticaError } from "../core/index.ts";
import { deadline } from "../platform/index.ts";
import type { RegisterRequest, RegisterResponse, RuntimeProfile } from "../wire/index.ts";
import type { DaemonContext } from "./context.ts";
import { profileSignature, type ResolveProfile, resolveProfiles } from "./profiles.ts";
import type { LaunchEntry, RuntimeEntry, RuntimeRow } from "./runtimes.ts";

/** A built-in agent found on this machine. */
export interface BuiltinAgent extends LaunchEntry {
  readonly displayName: string;
}

/** One look at the agents of this machine; shared by every workspace that is registered in its course. */
export interface ProbeRound {
  readonly agents: readonly BuiltinAgent[];
}

export type Outcome =
  | { readonly kind: "registered"; readonly fresh: readonly string[]; readonly dropped: readonly string[] }
  /** No agent and no usable profile: the workspace is tracked and waits (decision 16). */
  | { readonly kind: "nothing"; readonly dropped: readonly string[] }
  /** The workspace was forgotten meanwhile. */
  | { readonly kind: "unknown" };

export interface RegisterParts extends Pick<DaemonContext, "api" | "clock" | "limits" | "logger" | "runtimes" | "rootSignal" | "daemonId"> {
  /** What every registration says of this machine. */
  readonly identity: { readonly legacyIds: readonly string[]; readonly deviceName: string; readonly cliVersion: string; readonly launchedBy: string };
  readonly resolveProfile: ResolveProfile;
  probe(): Promise<ProbeRound>;
  /** Repositories and settings that came with a registration. */
  onWorkspaceData(workspaceId: string, answer: RegisterResponse): void;
  /** True while a task of this runtime runs in this process. */
  usesRuntime(runtimeId: string): boolean;
  /** Delivers the results of a runtime's tasks that wait here; false when some still wait after `ms`. */
  flushReports(runtimeId: string, ms: number): Promise<boolean>;
}

interface Prepared {
  readonly body: RegisterRequest;
  /** "" when the profile list could not be read. */
  readonly signature: string;
  readonly providers: ReadonlySet<string>;
}

/**
 * Sends registrations and applies their answers (daemon.md 7.3–7.6). One lock a workspace around
 * send → apply → deregister, because the server's order of processing must equal our order of recording.
 */
export class Registrar {
  readonly #parts: RegisterParts;
  readonly #locks = new KeyedMutex();
  /** Runtimes whose orphans the server has not been told of yet: what would be claimed now would be given up by that. */
  readonly #recovering = new Set<string>();

  constructor(parts: RegisterParts) {
    this.#parts = parts;
  }

  /**
   * Registers a tracked workspace; the answer is the set of its runtimes. With `builtinsOnly` it only adds to the set, and
   * custom profiles are left as they are (daemon.md 7.4 "merge"). With `recover` the caller calls `recoverOrphans` for the
   * fresh ones next; until then no task of theirs may be claimed. Throws when the request fails.
   */
  async register(workspaceId: string, round?: ProbeRound, options: { readonly builtinsOnly?: boolean; readonly recover?: boolean } = {}): Promise<Outcome> {
    const { runtimes, rootSignal } = this.#parts;
    const merge = options.builtinsOnly === true;
    const fresh = (ids: readonly string[]): void => {
      if (options.recover === true) for (const id of ids) this.#recovering.add(id);
    };
    const outcome = await this.#locks.run(workspaceId, () => this.#registerLocked(workspaceId, round, merge, fresh), { signal: rootSignal });
    if (outcome.kind !== "unknown") runtimes.changes.notify();
    return outcome;
  }

  /**
   * Re-registers when the workspace's profiles changed (daemon.md 7.5.4); equal signature: nothing happens.
   * No orphan recovery: surviving runtimes may be executing tasks. Throws when the list cannot be fetched.
   */
  async refreshProfiles(workspaceId: string): Promise<void> {
    const { api, limits, logger, runtimes, rootSignal } = this.#parts;
    const workspace = runtimes.workspace(workspaceId);
    if (workspace === undefined) return;
    const profiles = await api.runtimeProfiles(workspaceId, { timeoutMs: limits.profileRefreshTimeout, signal: rootSignal });
    if (profileSignature(profiles) === workspace.profileSignature) return;
    const outcome = await this.register(workspaceId);
    if (outcome.kind === "unknown") return;
    logger.info("runtime profiles changed", { workspace: workspaceId, runtimes: workspace.runtimeIds.length, dropped: outcome.dropped.length });
  }

  /**
   * Tells the server that this process runs nothing on these runtimes: only for ids it has never tracked before (daemon.md 7.8).
   * Results that wait here go first, because the server would throw them away afterwards (state-db.md 17, step 8).
   */
  async recoverOrphans(runtimeIds: readonly string[]): Promise<void> {
    const { limits, logger, rootSignal } = this.#parts;
    const flushed = await Promise.all(runtimeIds.map((id) => this.#parts.flushReports(id, limits.reportFlush)));
    for (const [index, id] of runtimeIds.entries()) {
      if (rootSignal.aborted) return;
      if (flushed[index] === true) {
        await this.#callRecover(id);
        continue;
      }
      logger.warn("results of this runtime still wait; until they are delivered it takes no new tasks", { runtime: id });
      void this.#recoverLater(id);
    }
  }

  /** False while the server may be told to give up this runtime's tasks. */
  mayClaim(runtimeId: string): boolean {
    return !this.#recovering.has(runtimeId);
  }

  /** Flush and call again until the results are delivered, or until patience ends. */
  async #recoverLater(id: string): Promise<void> {
    const { clock, limits, runtimes, rootSignal } = this.#parts;
    const end = clock.monotonic() + limits.reportFlushPatience;
    for (;;) {
      await clock.sleep(limits.reportFlushAgain, rootSignal).catch(() => undefined);
      if (rootSignal.aborted || runtimes.get(id) === undefined) break;
      const flushed = await this.#parts.flushReports(id, limits.reportFlush);
      if (flushed || clock.monotonic() >= end) return this.#callRecover(id);
    }
    this.#recovering.delete(id);
  }

  async #callRecover(id: string): Promise<void> {
    const { api, logger, rootSignal, runtimes } = this.#parts;
    try {
      if (this.#parts.usesRuntime(id)) return;
      const answer = await api.recoverOrphans(id, { signal: rootSignal });
      if (answer.orphaned > 0) logger.info("recovered orphaned tasks", { runtime: id, orphaned: answer.orphaned, retried: answer.retried });
    } catch (error) {
      logger.warn("orphan recovery failed", { runtime: id, error: errorText(error) });
    } finally {
      this.#recovering.delete(id);
      runtimes.changes.notify();
    }
  }

  /** Takes runtimes offline on the server, best effort; ids that are tracked again by now are left alone. */
  async deregister(workspaceId: string, runtimeIds: readonly string[]): Promise<void> {
    if (runtimeIds.length === 0) return;
    await this.#locks.run(workspaceId, () => this.#deregisterUntracked(runtimeIds), { signal: this.#parts.rootSignal });
  }

  async #registerLocked(workspaceId: string, given: ProbeRound | undefined, merge: boolean, onFresh: (ids: readonly string[]) => void): Promise<Outcome> {
    const { api, clock, limits, logger, runtimes, rootSignal } = this.#parts;
    const round = given ?? (await this.#parts.probe());
    const prepared = await this.#prepare(workspaceId, round, merge);
    const keep = (old: RuntimeEntry): boolean => merge || (old.profileId === null && !prepared.providers.has(old.provider));
    if (isEmpty(prepared.body)) {
      const applied = runtimes.replace(workspaceId, [], keep);
      if (applied === null) return { kind: "unknown" };
      this.#remember(workspaceId, prepared);
      await this.#deregisterUntracked(applied.dropped);
      return { kind: "nothing", dropped: applied.dropped };
    }
    const limit = deadline(clock, limits.registerTimeout, rootSignal);
    const answer = await api.register(prepared.body, { signal: limit.signal }).finally(limit.done);
    if (answer.runtimes.length === 0 && (prepared.body.failed_profiles ?? []).length === 0) {
      throw new MulticaError("empty_registration", "the server answered the registration without any runtime", { retry: "later" });
    }
    const rows = answer.runtimes.flatMap((row) => rowOf(row, prepared.body)).filter((row) => !merge || row.profileId === null);
    const applied = runtimes.replace(workspaceId, rows, keep);
    if (applied === null) return { kind: "unknown" };
    onFresh(applied.fresh);
    this.#remember(workspaceId, prepared);
    this.#parts.onWorkspaceData(workspaceId, answer);
    for (const id of runtimes.workspace(workspaceId)?.runtimeIds ?? []) {
      logger.info("registered runtime", { workspace: workspaceId, runtime: id, provider: runtimes.get(id)?.provider });
    }
    await this.#deregisterUntracked(applied.dropped);
    return { kind: "registered", ...applied };
  }

  #remember(workspaceId: string, prepared: Prepared): void {
    const workspace = this.#parts.runtimes.workspace(workspaceId);
    if (workspace === undefined) return;
    if (prepared.signature !== "") workspace.profileSignature = prepared.signature;
    for (const row of prepared.body.runtimes ?? []) {
      if (typeof row.type === "string" && !row.profile_id) workspace.sentVersions.set(row.type, row.version ?? "");
    }
  }

  async #prepare(workspaceId: string, round: ProbeRound, builtinsOnly: boolean): Promise<Prepared> {
    const { runtimes, identity } = this.#parts;
    const profiles = builtinsOnly ? null : await this.#fetchProfiles(workspaceId);
    const resolved = await resolveProfiles(profiles ?? [], this.#parts.resolveProfile, this.#parts.logger);
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
      providers: new Set(round.agents.map((agent) => agent.provider)),
      body: {
        workspace_id: workspaceId,
        daemon_id: this.#parts.daemonId,
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
  async #fetchProfiles(workspaceId: string): Promise<RuntimeProfile[] | null> {
    const { api, limits, logger, rootSignal } = this.#parts;
    try {
      return await api.runtimeProfiles(workspaceId, { timeoutMs: limits.profileRefreshTimeout, signal: rootSignal });
    } catch (error) {
      rootSignal.throwIfAborted();
      logger.info("runtime profiles not available; built-in agents only", { workspace: workspaceId, error: errorText(error) });
      return null;
    }
  }

  async #deregisterUntracked(runtimeIds: readonly string[]): Promise<void> {
    const { api, limits, logger, runtimes, rootSignal } = this.#parts;
    const gone = runtimeIds.filter((id) => runtimes.get(id) === undefined);
    if (gone.length === 0) return;
    try {
      await api.deregister(gone, { timeoutMs: limits.deregisterTimeout, signal: rootSignal });
    } catch (error) {
      logger.warn("deregistering dropped runtimes failed", { count: gone.length, transient: isTransient(error), error: errorText(error) });
    }
  }
}

function isEmpty(body: RegisterRequest): boolean {
  return (body.runtimes ?? []).length === 0 && (body.failed_profiles ?? []).length === 0;
}

/**
 * The row of an answer that this request asked for. A failed profile comes back as an offline row:
 * it is shown to users, but this machine cannot serve it.
 */
function rowOf(row: RegisterResponse["runtimes"][number], body: RegisterRequest): RuntimeRow[] {
  const profileId = row.profile_id ?? null;
  if (profileId !== null && (body.failed_profiles ?? []).some((failed) => failed.profile_id === profileId)) return [];
  return [{ id: row.id, name: row.name, provider: row.provider, profileId }];
}

import { isTransient } from "../api/index.ts";
import { KeyedMutex, errorText, MulticaError } from "../core/index.ts";
import { deadline } from "../platform/index.ts";
import { silentLogger } from "../platform/logger.ts";
import type { RegisterResponse } from "../wire/index.ts";
import type { Holds, OfflineReason } from "./holds.ts";
import { OrphanRecovery, type OrphanParts } from "./orphans.ts";
import { profileSignature, resolveProfiles } from "./profiles.ts";
import { isEmpty, prepareRegistration, type Prepared, type ProbeRound, type RegistrationParts, rowOf } from "./registration.ts";
import type { RuntimeEntry } from "./runtimes.ts";

export type Outcome =
  | { readonly kind: "registered"; readonly fresh: readonly string[]; readonly dropped: readonly string[] }
  /** No agent and no usable profile: the workspace is tracked and waits (decision 16). */
  | { readonly kind: "nothing"; readonly dropped: readonly string[] }
  /** The workspace was forgotten meanwhile. */
  | { readonly kind: "unknown" };

export interface RegisterParts extends RegistrationParts, OrphanParts {
  probe(): Promise<ProbeRound>;
  readonly holds: Pick<Holds, "isHeld" | "reasonOf">;
  /** Repositories and settings that came with a registration. */
  onWorkspaceData(workspaceId: string, answer: RegisterResponse): void;
}

/**
 * Sends registrations and applies their answers (daemon.md 7.3–7.6). One lock a workspace around
 * send → apply → deregister, because the server's order of processing must equal our order of recording.
 */
export class Registrar {
  readonly #parts: RegisterParts;
  readonly #locks = new KeyedMutex();
  readonly #orphans: OrphanRecovery;

  constructor(parts: RegisterParts) {
    this.#parts = parts;
    this.#orphans = new OrphanRecovery(parts);
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
      if (options.recover === true) this.#orphans.expect(ids);
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
   * Looks anew whether the commands of the workspace's profiles are on this machine, and registers again when that is not as it
   * was told. A command that is found elsewhere now is simply used there. True when the server was told something new.
   */
  async recheckProfiles(workspaceId: string): Promise<boolean> {
    const { api, limits, runtimes, resolveProfile, rootSignal } = this.#parts;
    const workspace = runtimes.workspace(workspaceId);
    if (workspace === undefined) return false;
    const profiles = await api.runtimeProfiles(workspaceId, { timeoutMs: limits.profileRefreshTimeout, signal: rootSignal });
    const { launches, failed } = await resolveProfiles(profiles, resolveProfile, silentLogger);
    for (const { profile, entry } of launches) runtimes.setProfileLaunch(profile.id, entry);
    if (JSON.stringify(failed) === JSON.stringify(workspace.failedProfiles)) return false;
    return (await this.register(workspaceId)).kind === "registered";
  }

  /** Tells the server that this process runs nothing on these runtimes, after the results that wait here (daemon.md 7.8). */
  recoverOrphans(runtimeIds: readonly string[]): Promise<void> {
    return this.#orphans.recover(runtimeIds);
  }

  /** False while the server may be told to give up this runtime's tasks. */
  mayClaim(runtimeId: string): boolean {
    return this.#orphans.mayClaim(runtimeId);
  }

  /** Takes runtimes offline on the server, best effort; ids that are tracked again by now are left alone. */
  async deregister(workspaceId: string, runtimeIds: readonly string[], reason: OfflineReason | null = null): Promise<void> {
    if (runtimeIds.length === 0) return;
    await this.#locks.run(workspaceId, () => this.#deregisterUntracked(runtimeIds, reason), { signal: this.#parts.rootSignal });
  }

  async #registerLocked(workspaceId: string, given: ProbeRound | undefined, merge: boolean, onFresh: (ids: readonly string[]) => void): Promise<Outcome> {
    const { api, clock, limits, logger, runtimes, rootSignal } = this.#parts;
    const round = given ?? (await this.#parts.probe());
    const prepared = await prepareRegistration(this.#parts, workspaceId, round, merge);
    // Only `demote` may take a built-in runtime offline: a look that failed says nothing against it.
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
    const held = (row: { readonly provider: string; readonly profileId: string | null }): boolean => row.profileId === null && this.#parts.holds.isHeld(row.provider);
    const offered = answer.runtimes.flatMap((row) => rowOf(row, prepared.body)).filter((row) => !merge || row.profileId === null);
    const rows = offered.filter((row) => !held(row));
    const applied = runtimes.replace(workspaceId, rows, keep);
    if (applied === null) return { kind: "unknown" };
    onFresh(applied.fresh);
    this.#remember(workspaceId, prepared);
    this.#parts.onWorkspaceData(workspaceId, answer);
    for (const id of runtimes.workspace(workspaceId)?.runtimeIds ?? []) {
      logger.info("registered runtime", { workspace: workspaceId, runtime: id, provider: runtimes.get(id)?.provider });
    }
    await this.#deregisterUntracked(applied.dropped);
    // The request may have been sent before its program was found to be of no use.
    for (const row of offered.filter(held)) await this.#deregisterUntracked([row.id], this.#parts.holds.reasonOf(row.provider));
    return { kind: "registered", ...applied };
  }

  #remember(workspaceId: string, prepared: Prepared): void {
    const workspace = this.#parts.runtimes.workspace(workspaceId);
    if (workspace === undefined) return;
    if (prepared.signature !== "") {
      workspace.profileSignature = prepared.signature;
      workspace.failedProfiles = prepared.failed;
    }
    for (const row of prepared.body.runtimes ?? []) {
      if (typeof row.type === "string" && !row.profile_id && !this.#parts.holds.isHeld(row.type)) workspace.sentVersions.set(row.type, row.version ?? "");
    }
  }

  async #deregisterUntracked(runtimeIds: readonly string[], reason: OfflineReason | null = null): Promise<void> {
    const { api, limits, logger, runtimes, rootSignal } = this.#parts;
    const gone = runtimeIds.filter((id) => runtimes.get(id) === undefined);
    if (gone.length === 0) return;
    try {
      const reasons = reason === null ? {} : { reasons: Object.fromEntries(gone.map((id) => [id, reason])) };
      await api.deregister(gone, { timeoutMs: limits.deregisterTimeout, signal: rootSignal, ...reasons });
    } catch (error) {
      logger.warn("deregistering dropped runtimes failed", { count: gone.length, transient: isTransient(error), error: errorText(error) });
    }
  }
}

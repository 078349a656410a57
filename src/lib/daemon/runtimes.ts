import { Broadcast } from "./mailbox.ts";

/** One runtime of this machine as the server knows it. */
export interface RuntimeEntry {
  readonly id: string;
  readonly workspaceId: string;
  readonly name: string;
  readonly provider: string;
  /** Set for the runtime of a custom profile. */
  readonly profileId: string | null;
}

/** A runtime profile that cannot be started on this machine. */
export type FailedProfile = {
  readonly profile_id: string;
  readonly command_name: string;
  readonly reason: string;
};

/** How to start the agent of a runtime. */
export interface LaunchEntry {
  readonly provider: string;
  /** Absolute path of the executable. */
  readonly path: string;
  /** "" when the version could not be read. */
  readonly version: string;
  /** Arguments that come before everything else (custom profiles). */
  readonly fixedArgs: readonly string[];
  readonly profileId: string | null;
  /** How the executable was found, as detection calls it; for people only. */
  readonly source?: string;
}

/** One object for the whole life of a tracked workspace: fields change, the object is never replaced (daemon.md 7.1). */
export interface WorkspaceState {
  readonly id: string;
  name: string;
  /** Replaced by a new array on every change: readers may still hold the old one. */
  runtimeIds: readonly string[];
  /** Digest of the profile list last applied; "" = unknown. */
  profileSignature: string;
  /** Profiles of the last applied list that cannot be started here. */
  failedProfiles: readonly FailedProfile[];
  /** Provider → version carried by the last accepted registration. */
  readonly sentVersions: Map<string, string>;
}

/** A row of a registration response, reduced to what the daemon needs. */
export interface RuntimeRow {
  readonly id: string;
  readonly name: string;
  readonly provider: string;
  readonly profileId: string | null;
}

/**
 * Workspaces, their runtimes and launch entries. Every method is one synchronous step;
 * what spans requests is serialised by the register lock in register.ts.
 */
export class RuntimeRegistry {
  /** Told after every change of the set of runtime ids. */
  readonly changes = new Broadcast();
  readonly #workspaces = new Map<string, WorkspaceState>();
  readonly #index = new Map<string, RuntimeEntry>();
  readonly #seen = new Set<string>();
  readonly #profiles = new Map<string, LaunchEntry>();
  #builtins: ReadonlyMap<string, LaunchEntry> = new Map();

  /** Tracked workspaces in the order they were added. */
  workspaces(): WorkspaceState[] {
    return [...this.#workspaces.values()];
  }

  workspace(id: string): WorkspaceState | undefined {
    return this.#workspaces.get(id);
  }

  get(runtimeId: string): RuntimeEntry | undefined {
    return this.#index.get(runtimeId);
  }

  /** All runtime ids, sorted. */
  ids(): string[] {
    return [...this.#index.keys()].sort();
  }

  get size(): number {
    return this.#index.size;
  }

  /** Built-in agents found on this machine; published as a whole on every change. */
  get builtins(): ReadonlyMap<string, LaunchEntry> {
    return this.#builtins;
  }

  setBuiltins(found: ReadonlyMap<string, LaunchEntry>): void {
    this.#builtins = found;
  }

  setProfileLaunch(profileId: string, entry: LaunchEntry): void {
    this.#profiles.set(profileId, entry);
  }

  /**
   * How to start the agent of a runtime: the recorded profile command, else the built-in
   * entry of its provider; null for an unknown runtime or an absent agent (daemon.md 7.5).
   */
  launchEntry(runtimeId: string): LaunchEntry | null {
    const runtime = this.#index.get(runtimeId);
    if (runtime === undefined) return null;
    const profile = runtime.profileId === null ? undefined : this.#profiles.get(runtime.profileId);
    return profile ?? this.#builtins.get(runtime.provider) ?? null;
  }

  /** Starts tracking a workspace without runtimes; the existing object when it is tracked already. */
  track(id: string, name: string): WorkspaceState {
    const known = this.#workspaces.get(id);
    if (known !== undefined) {
      known.name = name;
      return known;
    }
    const state: WorkspaceState = { id, name, runtimeIds: [], profileSignature: "", failedProfiles: [], sentVersions: new Map() };
    this.#workspaces.set(id, state);
    return state;
  }

  /**
   * Makes `rows` the workspace's set of runtimes; rows of the old set that `keep` accepts stay.
   * Answers the ids that were dropped and those never tracked before, or null for an unknown workspace.
   */
  replace(
    workspaceId: string,
    rows: readonly RuntimeRow[],
    keep: (old: RuntimeEntry) => boolean = () => false,
  ): { readonly dropped: string[]; readonly fresh: string[] } | null {
    const workspace = this.#workspaces.get(workspaceId);
    if (workspace === undefined) return null;
    const next = new Map<string, RuntimeEntry>();
    for (const row of rows) next.set(row.id, { ...row, workspaceId });
    const dropped: string[] = [];
    for (const id of workspace.runtimeIds) {
      if (next.has(id)) continue;
      const old = this.#index.get(id);
      if (old !== undefined && keep(old) && !supersedes(next, old)) next.set(id, old);
      else dropped.push(id);
    }
    const fresh = [...next.keys()].filter((id) => !this.#seen.has(id));
    for (const id of dropped) this.#index.delete(id);
    for (const [id, entry] of next) {
      this.#index.set(id, entry);
      this.#seen.add(id);
    }
    workspace.runtimeIds = [...next.keys()];
    return { dropped, fresh };
  }

  /** True while some workspace has the built-in runtime of this provider. */
  hasBuiltin(provider: string): boolean {
    return [...this.#index.values()].some((entry) => entry.provider === provider && entry.profileId === null);
  }

  /** Takes the built-in runtimes of a provider out everywhere, and what is known of its program and of versions sent. */
  removeBuiltins(provider: string): { readonly workspaceId: string; readonly ids: readonly string[] }[] {
    this.#builtins = new Map([...this.#builtins].filter(([known]) => known !== provider));
    return this.workspaces().flatMap((workspace) => {
      workspace.sentVersions.delete(provider);
      const ids = workspace.runtimeIds.filter((id) => {
        const entry = this.#index.get(id);
        return entry?.provider === provider && entry.profileId === null;
      });
      for (const id of ids) this.remove(id);
      return ids.length === 0 ? [] : [{ workspaceId: workspace.id, ids }];
    });
  }

  /** Takes one runtime out of its workspace and the index; the workspace, or null when it was not there. */
  remove(runtimeId: string): WorkspaceState | null {
    const entry = this.#index.get(runtimeId);
    if (entry === undefined) return null;
    this.#index.delete(runtimeId);
    const workspace = this.#workspaces.get(entry.workspaceId);
    if (workspace === undefined) return null;
    workspace.runtimeIds = workspace.runtimeIds.filter((id) => id !== runtimeId);
    return workspace;
  }

  /** Stops tracking a workspace; the runtime ids it had. Running tasks are not touched. */
  forget(workspaceId: string): readonly string[] {
    const workspace = this.#workspaces.get(workspaceId);
    if (workspace === undefined) return [];
    this.#workspaces.delete(workspaceId);
    for (const id of workspace.runtimeIds) this.#index.delete(id);
    return workspace.runtimeIds;
  }
}

/** True when the new set already has a runtime for the same built-in provider: keeping the old one would double it. */
function supersedes(next: ReadonlyMap<string, RuntimeEntry>, old: RuntimeEntry): boolean {
  return [...next.values()].some((row) => row.provider === old.provider && row.profileId === old.profileId);
}

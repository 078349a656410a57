import type { DaemonApi } from "../api/daemon-api.ts";
import type { DaemonConfig } from "../config/index.ts";
import type { Clock } from "../platform/index.ts";
import type { Logger } from "../platform/logger.ts";
import type { RepoCache } from "../repos/index.ts";
import type { IndexHandle, StateHandle } from "../state/index.ts";
import type { ExecService } from "../exec/index.ts";
import type { ActiveRoots } from "./active-roots.ts";
import type { ClaimBarrier } from "./barrier.ts";
import type { Credentials } from "./credentials.ts";
import type { TaskThreads } from "./exec/threads.ts";
import type { Limits } from "./limits.ts";
import type { Outbox } from "./outbox/outbox.ts";
import type { RecentEndings } from "./recent.ts";
import type { Reconcile } from "./reconcile.ts";
import type { RuntimeRegistry } from "./runtimes.ts";
import type { Slots } from "./slots.ts";

/** A repository a claimed task brings with it; `ref` is its default revision for this task only. */
export interface TaskRepo {
  readonly url: string;
  readonly ref?: string | null | undefined;
}

/** Repositories surfaced by tasks (daemon.md 7.10): what a task may check out beyond its workspace's list. */
export interface TaskRepos {
  /** Adds the task's repositories to its workspace and starts background clones of unknown ones. Unknown workspace: nothing. */
  register(workspaceId: string, taskId: string, repos: readonly TaskRepo[]): void;
  /** Forgets the task's default refs; the URLs stay allowed. Idempotent. */
  clear(workspaceId: string, taskId: string): void;
}

/** Counters shown by `/health`; the pipeline changes them, the local port only reads. */
export interface TaskCounters {
  /** Agents between backend start and result. */
  running: number;
  /** Tasks parked on a directory lock. */
  resourceWait: number;
}

/**
 * What the daemon's loops and the task pipeline share: small parts, each usable on its own in a test.
 *
 * Around a pipeline the claim loop does the following and the pipeline must not:
 * it takes the slot, writes the task row (phase `claimed`), counts the task in `barrier`,
 * and, when `runTask` has resolved, gives the slot back, uncounts the task and wakes itself.
 */
export interface DaemonContext {
  readonly config: DaemonConfig;
  readonly limits: Limits;
  /** CLI profile; "" is the default one. */
  readonly profile: string;
  /** Absolute state directory of the profile. */
  readonly stateDir: string;
  readonly daemonId: string;
  /** Base URL for HTTP, without trailing slash. */
  readonly serverUrl: string;
  readonly api: DaemonApi;
  /** Null with `--no-state`: everything works, crash recovery is weaker. */
  readonly state: StateHandle | null;
  /** Durable reports; null without the state file: then reports are sent at once and kept in memory. */
  readonly outbox: Outbox | null;
  /** Where Codex keeps its threads; null until it is open and complete, and where it cannot be: then the files answer. */
  readonly index: IndexHandle | null;
  /** Commands that outlive their caller; null until earlier ones have been taken over. */
  readonly exec: ExecService | null;
  /** Threads of processes that belong to running tasks. */
  readonly threads: TaskThreads;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The daemon's own environment: what agents start from (agents.md 4.5 removes parts of it). */
  readonly env: Readonly<Record<string, string>>;
  readonly slots: Slots;
  readonly barrier: ClaimBarrier;
  /** Workspaces, runtimes and launch entries (`runtimes.launchEntry(runtimeId)`). */
  readonly runtimes: RuntimeRegistry;
  readonly repoCache: RepoCache;
  readonly taskRepos: TaskRepos;
  /** Task tokens that may use the local port while their task runs. */
  readonly credentials: Credentials;
  /** Environment roots in use: the collector and `execenv heal` leave them alone. */
  readonly activeRoots: ActiveRoots;
  readonly counters: TaskCounters;
  /** What ended lately, and why. */
  readonly recent: RecentEndings;
  /** "The socket was (re)connected: what you only learn from hints may be stale." */
  readonly reconcile: Reconcile;
  /** Aborted when the daemon shuts down. Terminal reports must not derive from it. */
  readonly rootSignal: AbortSignal;
  /** Wakes the claim loop. */
  wake(): void;
  /** Port of the local API. */
  readonly localPort: number;
  /** Directory that holds the `multica` launcher; goes first on an agent's PATH. */
  readonly launcherDir: string;
}

import { EXIT, MulticaError, errorText, isMulticaError, jittered } from "../../core/index.ts";
import type { DaemonWorkspace } from "../../wire/index.ts";
import type { DaemonContext } from "../context.ts";
import { Mailbox } from "../mailbox.ts";
import type { Registrar } from "../register.ts";
import type { ProbeRound } from "../registration.ts";

export interface SyncParts extends Pick<DaemonContext, "api" | "clock" | "limits" | "logger" | "runtimes" | "rootSignal"> {
  readonly registrar: Registrar;
  /** Interval while no runtime exists. */
  readonly idleIntervalMs: number;
  readonly random?: () => number;
  probe(): Promise<ProbeRound>;
  onForgotten(workspaceId: string): void;
  /** Hints cannot arrive without a socket: then the timer reconciles profiles. */
  socketConnected(): boolean;
}

interface Pass {
  failures: number;
  lastError?: unknown;
  changed: boolean;
}

/**
 * Keeps the tracked workspaces equal to the account's (daemon.md 7.2). A failure to list them is never
 * read as "no workspaces"; one that cannot be registered now is tried again by the next sync.
 */
export class SyncLoop {
  readonly #parts: SyncParts;
  readonly #box = new Mailbox();
  #reconcile = false;
  #etag: string | undefined;
  #known: readonly DaemonWorkspace[] = [];
  #dedicated = true;
  #failures = 0;

  constructor(parts: SyncParts) {
    this.#parts = parts;
  }

  /** Asks for one sync soon; a request during a sync causes exactly one more afterwards. */
  request(options: { readonly reconcileProfiles: boolean }): void {
    this.#reconcile ||= options.reconcileProfiles;
    this.#box.post();
  }

  /** Runs until the root signal aborts. Never throws. */
  async run(): Promise<void> {
    const { clock, rootSignal, logger } = this.#parts;
    while (!rootSignal.aborted) {
      const why = await this.#box.wait(clock, this.nextInterval(), rootSignal);
      if (why === "aborted") return;
      const reconcile = this.#reconcile || !this.#parts.socketConnected();
      this.#reconcile = false;
      try {
        await this.once({ reconcileProfiles: reconcile });
        this.#failures = 0;
      } catch (error) {
        if (rootSignal.aborted) return;
        this.#failures += 1;
        logger.warn("workspace sync failed", { error: errorText(error), consecutive: this.#failures });
      }
    }
  }

  /** The wait before the next timer-driven sync, ± 20 %. */
  nextInterval(): number {
    const { limits, runtimes, idleIntervalMs, random } = this.#parts;
    const idle = runtimes.size === 0;
    const base = idle ? idleIntervalMs : this.#dedicated ? limits.syncDedicated : limits.syncLegacy;
    const most = idle ? limits.syncLegacy : limits.syncMax;
    return jittered(Math.min(Math.max(most, base), base * 2 ** Math.min(this.#failures, 16)), 0.2, random);
  }

  /**
   * One sync. Throws when the list cannot be had, and when every registration failed and no runtime exists;
   * a machine without agents, or an account without workspaces, is no error (decision 16).
   */
  async once(options: { readonly reconcileProfiles: boolean }): Promise<void> {
    const { runtimes } = this.#parts;
    const listed = await this.#list();
    const pass: Pass = { failures: 0, changed: false };
    let probed: Promise<ProbeRound> | undefined;
    const round = (): Promise<ProbeRound> => (probed ??= this.#parts.probe());
    for (const workspace of listed) {
      if (this.#parts.rootSignal.aborted) return;
      const tracked = runtimes.workspace(workspace.id);
      if (tracked !== undefined && options.reconcileProfiles && tracked.runtimeIds.length > 0) await this.#refresh(workspace.id);
      if (tracked === undefined || tracked.runtimeIds.length === 0) await this.#register(workspace, round, pass);
    }
    await this.#forgetMissing(new Set(listed.map((workspace) => workspace.id)), pass);
    if (pass.changed) runtimes.changes.notify();
    if (runtimes.size === 0 && pass.failures > 0 && pass.failures === listed.length) {
      throw new MulticaError("registration_failed", `failed to register runtimes for any of the ${listed.length} workspace(s)`, {
        cause: pass.lastError,
        exit: isMulticaError(pass.lastError) ? pass.lastError.exit : EXIT.failed,
        retry: "later",
      });
    }
  }

  async #list(): Promise<readonly DaemonWorkspace[]> {
    const { api, limits, rootSignal } = this.#parts;
    const answer = await api.workspaces({
      timeoutMs: limits.syncTimeout,
      signal: rootSignal,
      ...(this.#etag === undefined ? {} : { etag: this.#etag }),
    });
    if (answer.kind === "list") {
      this.#known = answer.workspaces;
      this.#etag = answer.etag;
      // The older route sends no entity tag: that is how the two are told apart.
      this.#dedicated = answer.etag !== undefined;
    }
    return this.#known;
  }

  async #refresh(workspaceId: string): Promise<void> {
    try {
      await this.#parts.registrar.refreshProfiles(workspaceId);
    } catch (error) {
      this.#parts.rootSignal.throwIfAborted();
      this.#parts.logger.debug("runtime profile refresh failed", { workspace: workspaceId, error: errorText(error) });
    }
  }

  async #register(workspace: DaemonWorkspace, round: () => Promise<ProbeRound>, pass: Pass): Promise<void> {
    const { logger, registrar, runtimes, rootSignal } = this.#parts;
    const isNew = runtimes.workspace(workspace.id) === undefined;
    runtimes.track(workspace.id, workspace.name);
    try {
      const outcome = await registrar.register(workspace.id, await round(), { recover: true });
      if (outcome.kind === "registered") await registrar.recoverOrphans(outcome.fresh);
      if (!isNew) return;
      if (outcome.kind === "nothing") logger.warn("no agent for this workspace yet; waiting for one", { workspace: workspace.id });
      logger.info("watching workspace", { workspace: workspace.id, name: workspace.name });
    } catch (error) {
      rootSignal.throwIfAborted();
      pass.failures += 1;
      pass.lastError = error;
      if (isNew) runtimes.forget(workspace.id);
      logger.error("registration failed", { workspace: workspace.id, error: errorText(error) });
    }
  }

  async #forgetMissing(listed: ReadonlySet<string>, pass: Pass): Promise<void> {
    const { logger, registrar, runtimes } = this.#parts;
    for (const workspace of runtimes.workspaces()) {
      if (listed.has(workspace.id)) continue;
      const ids = runtimes.forget(workspace.id);
      pass.changed = true;
      logger.info("stopped watching workspace", { workspace: workspace.id });
      this.#parts.onForgotten(workspace.id);
      await registrar.deregister(workspace.id, ids);
    }
  }
}

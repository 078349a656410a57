import { errorText } from "../../core/index.ts";
import { runShort } from "../../platform/process/run-short.ts";
import type { RequestUpdate } from "../actions/update.ts";
import type { DaemonContext } from "../context.ts";
import { type ReleaseSource, isNewer } from "./release.ts";
import type { RestartTarget } from "./target.ts";

export interface UpdateParts extends Pick<DaemonContext, "barrier" | "clock" | "logger" | "rootSignal" | "env" | "wake"> {
  /** Version of the running program; empty: unknown. */
  readonly version: string;
  /** What the program is started from; asked each time, since an upgrade may move it. */
  readonly target: () => RestartTarget | null;
  /** Managed by the desktop app, which updates it. */
  readonly managed: boolean;
  readonly source: ReleaseSource | null;
  /** Records that a successor is to be started and begins the shutdown; false when that cannot be done. */
  readonly restart: () => boolean;
}

const PROBE_MS = 10_000;
const POLL_MS = 10;
const DEFERRED = "update deferred: tasks are running, try again when this machine is idle";

/**
 * Moving to another build without losing work (daemon.md 16). One of the three triggers at a time: asked for by the server,
 * a newer release, a program that was replaced on disk. Nothing is claimed from the moment it is decided, and the barrier
 * is kept until the process ends.
 */
export class Updates {
  readonly #parts: UpdateParts;
  #updating = false;
  #restarting = false;
  #pendingReason = "";

  constructor(parts: UpdateParts) {
    this.#parts = parts;
  }

  /** Why a restart waits for the daemon to be idle; empty when none does. */
  get pendingReason(): string {
    return this.#pendingReason;
  }

  /** An update that the server asks for (16.1). Always answered; never throws. */
  readonly requested: RequestUpdate = async ({ targetVersion, report }) => {
    const { source, managed } = this.#parts;
    const refuse = (error: string): Promise<boolean> => report({ status: "failed", error });
    if (managed) return void (await refuse("this daemon is updated with the desktop app"));
    if (source === null) return void (await refuse("this build has no release source: update it the way it was installed"));
    const done = await this.#alone(async () => {
      if (!(await this.#quiet())) return void (await refuse(DEFERRED));
      await report({ status: "running" });
      try {
        await source.install(targetVersion, this.#parts.rootSignal);
      } catch (error) {
        await refuse(errorText(error));
        return "release";
      }
      await report({ status: "completed", output: `Updated to ${targetVersion}` });
      return this.#restart(`updated to ${targetVersion}`) ? "keep" : "release";
    });
    if (!done) await refuse("another update is running on this machine");
  };

  /** Looks for a newer release and moves to it while nothing runs (16.2). Never throws. */
  async checkRelease(): Promise<void> {
    const { source, barrier, logger, version, rootSignal } = this.#parts;
    if (source === null || barrier.activeTasks > 0) return;
    await this.#alone(async () => {
      try {
        const latest = await source.latest(rootSignal);
        if (!isNewer(latest, version)) return "release";
        if (!barrier.trySetBarrier()) {
          logger.info("update deferred: tasks are running", { latest });
          return undefined;
        }
        logger.info("updating", { from: version, to: latest });
        await source.install(latest, rootSignal);
        return this.#restart(`updated to ${latest}`) ? "keep" : "release";
      } catch (error) {
        logger.warn("the update failed", { error: errorText(error) });
        return "release";
      }
    });
  }

  /** Looks whether the program on disk is another one now and, when idle, starts that (16.3). Never throws. */
  async checkReload(): Promise<void> {
    const { barrier, logger, version } = this.#parts;
    await this.#alone(async () => {
      const found = await this.#versionOnDisk();
      if (found === null || version === "") {
        logger.warn("the program on disk does not tell its version; it is not taken for another one");
        return undefined;
      }
      if (found === version) {
        this.#pendingReason = "";
        return undefined;
      }
      this.#pendingReason = `the program on disk is version ${found}`;
      if (!barrier.trySetBarrier()) {
        logger.info("restart waits until nothing runs", { running: version, found });
        return undefined;
      }
      return this.#restart(this.#pendingReason) ? "keep" : "release";
    });
  }

  /** Runs `work` unless another trigger is at it; what it returns says what becomes of the barrier it may have taken. */
  async #alone(work: () => Promise<"keep" | "release" | undefined>): Promise<boolean> {
    if (this.#updating || this.#restarting) return false;
    this.#updating = true;
    const end = await work().catch((error: unknown): "release" => {
      this.#parts.logger.warn("the update failed", { error: errorText(error) });
      return "release";
    });
    if (end === "keep") return true;
    this.#updating = false;
    if (end === "release") this.#claimAgain();
    return true;
  }

  /** True with the barrier held and nothing claimed or running; else everything is as before. */
  async #quiet(): Promise<boolean> {
    const { barrier, clock, rootSignal } = this.#parts;
    if (!barrier.tryPause()) return false;
    while (barrier.claimsInFlight > 0 && !rootSignal.aborted) await clock.sleep(POLL_MS, rootSignal).catch(() => undefined);
    if (barrier.activeTasks === 0 && !rootSignal.aborted) return true;
    this.#claimAgain();
    return false;
  }

  #claimAgain(): void {
    this.#parts.barrier.releaseBarrier();
    this.#parts.wake();
  }

  #restart(why: string): boolean {
    const { logger, restart } = this.#parts;
    if (!restart()) {
      logger.error("the restart cannot be done; the daemon goes on", { why });
      return false;
    }
    this.#restarting = true;
    logger.info("restarting", { why });
    return true;
  }

  async #versionOnDisk(): Promise<string | null> {
    const { env, rootSignal } = this.#parts;
    const target = this.#parts.target();
    if (target === null) return null;
    const result = await runShort({ command: target.command, args: [...target.args, "--version"], env: { ...env }, timeoutMs: PROBE_MS, signal: rootSignal });
    const version = result.code === 0 ? /^multica (\S+) \(/.exec(result.stdout)?.[1] : undefined;
    return version ?? null;
  }
}

import { MulticaError } from "../../../core/index.ts";
import type { AgentHost } from "../../../exec/index.ts";
import { type Clock, type FileLock, type ProcessIdentity, currentPid, processIdentity, receiveFileLock, tryFileLock } from "../../../platform/index.ts";

const TAKE_MS = 5000;
const TAKE_POLL_MS = 10;

/** The lock of a task's environment: held by this process, or by the host of its agent (decision 12). */
export class EnvironmentLock {
  readonly #path: string;
  #lock: FileLock | null;

  /** `lock`: null when a host has it. */
  constructor(path: string, lock: FileLock | null) {
    this.#path = path;
    this.#lock = lock;
  }

  /** Passes it to a host; throws `lock_lost` when it is not held here. */
  passTo(host: ProcessIdentity): { readonly path: string; readonly token: string } {
    if (this.#lock === null) throw new MulticaError("lock_lost", `the lock is not held here: ${this.#path}`);
    const token = this.#lock.passTo(host);
    this.#lock = null;
    return { path: this.#path, token };
  }

  /** Takes it from the host, or where it lies when the host is gone. False when somebody else has it by now. */
  async takeBack(host: AgentHost | null, clock: Clock): Promise<boolean> {
    if (this.#lock !== null) return true;
    const self = processIdentity(currentPid());
    const token = self === null || host === null ? null : await host.passLock(self);
    const limit = clock.monotonic() + TAKE_MS;
    for (;;) {
      this.#lock = token === null ? tryFileLock(this.#path) : receiveFileLock(this.#path, token);
      if (this.#lock !== null) return true;
      if (clock.monotonic() >= limit) return false;
      await clock.sleep(TAKE_POLL_MS);
    }
  }

  release(): void {
    this.#lock?.release();
    this.#lock = null;
  }
}

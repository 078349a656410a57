/**
 * Keeps restarts and mode switches from racing with claims (daemon.md 10.4).
 * Every operation is synchronous: test and set happen without an `await` in between.
 */
export class ClaimBarrier {
  #paused = false;
  #closed = false;
  #claimsInFlight = 0;
  #activeTasks = 0;

  get paused(): boolean {
    return this.#paused;
  }

  /** The daemon is about to stop: nothing is claimed any more. */
  get closed(): boolean {
    return this.#closed;
  }

  get claimsInFlight(): number {
    return this.#claimsInFlight;
  }

  get activeTasks(): number {
    return this.#activeTasks;
  }

  /** Counts a claim request in; false while the barrier is held. */
  tryEnterClaim(): boolean {
    if (this.#paused) return false;
    this.#claimsInFlight += 1;
    return true;
  }

  /** Ends the claim counted by `tryEnterClaim`. Its tasks must have been counted by `taskStarted` before. */
  exitClaim(): void {
    this.#claimsInFlight -= 1;
  }

  /** Counts a claimed task in: before `exitClaim`, so that there is no instant in which it is counted nowhere. */
  taskStarted(): void {
    this.#activeTasks += 1;
  }

  /** After reporting and local clean-up. */
  taskEnded(): void {
    this.#activeTasks -= 1;
  }

  /** Takes the barrier only when nothing is claimed, being claimed or running. */
  trySetBarrier(): boolean {
    if (this.#paused || this.#claimsInFlight > 0 || this.#activeTasks > 0) return false;
    this.#paused = true;
    return true;
  }

  /** Stops claiming while nothing runs; claims on their way may still bring a task, so look again when they are back. */
  tryPause(): boolean {
    if (this.#paused || this.#activeTasks > 0) return false;
    this.#paused = true;
    return true;
  }

  /** Ends claiming for good, whatever runs: the daemon is about to stop. */
  close(): void {
    this.#paused = true;
    this.#closed = true;
  }

  /** Gives the barrier back; claims resume with the next cycle. */
  releaseBarrier(): void {
    this.#paused = this.#closed;
  }
}

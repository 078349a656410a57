import { timingSafeEqual } from "node:crypto";
import type { Socket } from "node:net";
import { sha256Hex } from "../../core/index.ts";
import type { Clock, FileLock, ProcessIdentity } from "../../platform/index.ts";
import { Connection } from "./connection.ts";
import type { Hello, Hub } from "./hub.ts";
import type { HostSession } from "./session.ts";

const BAD_DELAY_MS = 1000;
const BAD_PER_MINUTE = 5;
const MINUTE_MS = 60_000;

/** Who is connected: one owner, with the greatest epoch seen, and viewers (exec-sessions.md 17). */
export class Connections implements Hub<Connection> {
  readonly session: HostSession;
  readonly clock: Clock;
  readonly #all = new Set<Connection>();
  #owner: Connection | null = null;
  #epoch = 0;
  #orphanMs: number;
  #failures: number[] = [];
  #cancelOrphan: () => void = () => undefined;
  #onBye: (() => void) | null = null;
  readonly #left = Promise.withResolvers<void>();
  /** The lock that was passed to this host. */
  lock: FileLock | null = null;

  constructor(session: HostSession, clock: Clock) {
    this.session = session;
    this.clock = clock;
    this.#orphanMs = session.request.limits.orphan_ms;
    this.#armOrphan();
  }

  accept(socket: Socket): void {
    if (this.#tooManyFailures()) {
      socket.destroy();
      return;
    }
    const connection = new Connection(socket, this);
    this.#all.add(connection);
    socket.once("close", () => this.#gone(connection));
  }

  /** Null when it may come in, else why not. */
  admit(connection: Connection, hello: Hello): "bad_token" | "foreign" | "stale_epoch" | null {
    const { token, instance_id } = this.session.request;
    if (!sameText(hello.token, token)) {
      this.#failures.push(this.clock.monotonic());
      return "bad_token";
    }
    if (hello.instanceId !== instance_id) return "foreign";
    if (hello.role === "viewer") return null;
    if (hello.epoch < this.#epoch || (hello.epoch === this.#epoch && this.#owner !== null)) return "stale_epoch";
    this.#owner?.displace();
    this.#owner = connection;
    this.#epoch = hello.epoch;
    this.#armOrphan();
    return null;
  }

  /** Closes a connection that did not prove who it is, slowly: guessing must not pay. */
  dismiss(connection: Connection): void {
    this.clock.setTimer(BAD_DELAY_MS, () => connection.end());
  }

  isOwner(connection: Connection): boolean {
    return this.#owner === connection;
  }

  setOrphanMs(ms: number): void {
    this.#orphanMs = ms;
    this.#armOrphan();
  }

  bye(seq: number): void {
    this.session.acknowledge(seq);
    const { result } = this.session;
    if (result !== null && seq >= result.last_seq) this.#onBye?.();
  }

  passLock(to: ProcessIdentity): string {
    const token = this.lock?.passTo(to) ?? "";
    this.lock = null;
    return token;
  }

  /** Nobody is to be waited for any more: the machine ends. */
  leave(): void {
    this.#left.resolve();
  }

  changed(): void {
    for (const connection of this.#all) connection.changed();
  }

  event(name: "exited" | "closed" | "degraded"): void {
    this.#owner?.event(name, this.session.status());
  }

  /**
   * After the end: until the owner has everything and viewers were sent everything, or the time is over. A journal waits
   * for an owner to say so as long as it would have let the command run without one: its log is all there is of it.
   */
  async finish(limitMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#onBye = resolve;
    if (this.session.request.journal) await Promise.race([promise, this.#left.promise]);
    const limit = this.clock.monotonic() + limitMs;
    const viewers = (): boolean => [...this.#all].some((connection) => connection.busy);
    if (this.#owner !== null && !this.session.request.journal) await Promise.race([promise, this.clock.sleep(limitMs)]);
    while (viewers() && this.clock.monotonic() < limit) await this.clock.sleep(10);
    this.#cancelOrphan();
    for (const connection of this.#all) connection.end();
  }

  #gone(connection: Connection): void {
    this.#all.delete(connection);
    connection.changed();
    if (this.#owner !== connection) return;
    this.#owner = null;
    if (!this.session.request.journal) this.#onBye?.();
    this.#armOrphan();
  }

  /** A host whose owner never comes back ends its command itself. */
  #armOrphan(): void {
    this.#cancelOrphan();
    if (this.#orphanMs <= 0 || this.#owner !== null) return;
    this.#cancelOrphan = this.clock.setTimer(this.#orphanMs, () => {
      this.session.terminate(5000, "expired");
      this.leave();
    });
  }

  #tooManyFailures(): boolean {
    const now = this.clock.monotonic();
    this.#failures = this.#failures.filter((at) => now - at < MINUTE_MS);
    return this.#failures.length >= BAD_PER_MINUTE;
  }
}

/** Hashes first: the comparison then takes as long for any length. */
function sameText(left: string, right: string): boolean {
  return timingSafeEqual(Buffer.from(sha256Hex(left)), Buffer.from(sha256Hex(right)));
}

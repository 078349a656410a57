import { MulticaError } from "../../core/index.ts";
import { type Clock, type Db, type ProcessIdentity, currentPid, identityAlive, processIdentity } from "../../platform/index.ts";
import { retryBusy } from "../handle.ts";
import { leaseHolder, releaseLease, renewLease, takeLease } from "../lease.ts";

const LEASE = "backfill";
const TTL_MS = 60_000;
const RENEW_MS = 10_000;
const ATTEMPTS = 20;

/** The right to write the index: one process at a time, proved again in every transaction (state-db.md 18.3). */
export interface Writer {
  /** Runs `fn` in a transaction. Throws `index_lease_lost` when another process has taken over. */
  write<T>(fn: () => T): Promise<T>;
  release(): void;
}

export interface WriterOptions {
  readonly db: Db;
  readonly clock: Clock;
  /** One per connection. */
  readonly holder: string;
}

/** Becomes the writer, or answers who is. A dead writer is replaced at once, a silent one after a minute. */
export async function becomeWriter({ db, clock, holder }: WriterOptions): Promise<Writer | { readonly heldBy: ProcessIdentity }> {
  const identity = processIdentity(currentPid());
  if (identity === null) throw new MulticaError("bug", "this process has no identity");
  const busy = <T>(fn: () => T): Promise<T> => retryBusy(clock, ATTEMPTS, db.path, fn);
  const taken = await busy(() =>
    db.transaction(() => takeLease(db, { name: LEASE, holder, identity, ttlMs: TTL_MS, nowMs: clock.now(), replaceSilent: true })),
  );
  if (taken !== null) return { heldBy: taken.identity };
  const stop = clock.every(RENEW_MS, () => {
    try {
      if (!db.inTransaction) renewLease(db, LEASE, holder, clock.now());
    } catch {
      // Locked just now: the next transaction renews it.
    }
  });
  return {
    write: (fn) =>
      busy(() =>
        db.transaction(() => {
          if (!renewLease(db, LEASE, holder, clock.now())) {
            throw new MulticaError("index_lease_lost", `another process writes the rollout index by now: ${db.path}`, { retry: "later" });
          }
          return fn();
        }),
      ),
    release: () => {
      stop();
      try {
        releaseLease(db, LEASE, holder);
      } catch {
        // Left behind: the next writer finds it dead or silent.
      }
    },
  };
}

/** Who writes the index, as the file says. */
export function writerOf(db: Db): { readonly pid: number; readonly alive: boolean; readonly renewedAtMs: number } | null {
  const lease = leaseHolder(db, LEASE);
  return lease === null ? null : { pid: lease.identity.pid, alive: identityAlive(lease.identity), renewedAtMs: lease.renewedAtMs };
}

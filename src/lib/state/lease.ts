import type { Db, ProcessIdentity } from "../platform/index.ts";
import { identityAlive } from "../platform/index.ts";

export interface LeaseHolder {
  readonly holder: string;
  readonly identity: ProcessIdentity;
}

/** A lease as it stands in the file. */
export interface HeldLease extends LeaseHolder {
  readonly renewedAtMs: number;
  readonly ttlMs: number;
}

export interface LeaseClaim extends LeaseHolder {
  readonly name: string;
  readonly ttlMs: number;
  readonly nowMs: number;
  /** True: a holder that lives but has not renewed within its own limit is replaced as well. */
  readonly replaceSilent?: boolean;
}

/**
 * Takes a lease inside the caller's transaction. A living holder keeps it, whatever its age says: null means taken, the
 * holder is returned otherwise. A dead one (by pid, start and boot) is replaced at once (state-db.md 15.1, 17).
 */
export function takeLease(db: Db, claim: LeaseClaim): LeaseHolder | null {
  const current = leaseHolder(db, claim.name);
  const silent = claim.replaceSilent === true && current !== null && claim.nowMs - current.renewedAtMs > current.ttlMs;
  if (current !== null && current.holder !== claim.holder && !silent && identityAlive(current.identity)) return current;
  db.prepare(
    `INSERT INTO lease (name, holder, pid, start_key, boot_id, acquired_at_ms, renewed_at_ms, ttl_ms)
     VALUES (:name, :holder, :pid, :start_key, :boot_id, :now, :now, :ttl)
     ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, pid = excluded.pid, start_key = excluded.start_key,
       boot_id = excluded.boot_id, acquired_at_ms = excluded.acquired_at_ms, renewed_at_ms = excluded.renewed_at_ms, ttl_ms = excluded.ttl_ms`,
  ).run({
    name: claim.name,
    holder: claim.holder,
    pid: claim.identity.pid,
    start_key: claim.identity.startKey,
    boot_id: claim.identity.bootId,
    now: claim.nowMs,
    ttl: claim.ttlMs,
  });
  return null;
}

export function leaseHolder(db: Db, name: string): HeldLease | null {
  const row = db.prepare("SELECT holder, pid, start_key, boot_id, renewed_at_ms, ttl_ms FROM lease WHERE name = :name").get({ name });
  if (row === undefined) return null;
  const identity = { pid: Number(row["pid"]), startKey: String(row["start_key"]), bootId: String(row["boot_id"]) };
  return { holder: String(row["holder"]), identity, renewedAtMs: Number(row["renewed_at_ms"]), ttlMs: Number(row["ttl_ms"]) };
}

/** False when somebody else holds the lease by now. */
export function renewLease(db: Db, name: string, holder: string, nowMs: number): boolean {
  return db.prepare("UPDATE lease SET renewed_at_ms = :now WHERE name = :name AND holder = :holder").run({ now: nowMs, name, holder }).changes === 1;
}

export function releaseLease(db: Db, name: string, holder: string): void {
  db.prepare("DELETE FROM lease WHERE name = :name AND holder = :holder").run({ name, holder });
}

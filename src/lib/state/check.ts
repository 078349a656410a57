import type { Db } from "../platform/index.ts";
import { identityAlive } from "../platform/index.ts";
import { quickCheck, schemaFindings } from "./damage.ts";
import { leaseHolder } from "./lease.ts";
import { DAEMON_LEASE } from "./runs.ts";
import { MIGRATIONS } from "./schema.ts";

export interface StateFinding {
  readonly code: "damage" | "foreign_key" | "schema" | "lease" | "orphan" | "row";
  readonly detail: string;
}

/** What is wrong with a state file; reads only, so that it may run beside the daemon (state-db.md 19.5). */
export function checkState(db: Db, full: boolean): StateFinding[] {
  const findings: StateFinding[] = quickCheck(db, full).map((detail) => ({ code: "damage", detail }));
  // A damaged file answers the rest with errors.
  if (findings.length > 0) return findings;
  findings.push(...brokenReferences(db));
  for (const detail of schemaFindings(db, MIGRATIONS)) findings.push({ code: "schema", detail });
  const holder = leaseHolder(db, DAEMON_LEASE);
  if (holder !== null && !identityAlive(holder.identity)) {
    findings.push({ code: "lease", detail: `the daemon of pid ${holder.identity.pid} ended without giving the file back; the next start takes it over` });
  }
  const orphans = Number(db.scalar("SELECT count(DISTINCT lane) FROM outbox WHERE state <> 'dead' AND lane NOT IN (SELECT task_id FROM task)"));
  if (orphans > 0) findings.push({ code: "orphan", detail: `reports of ${orphans} task(s) wait whose rows are gone; they are delivered all the same` });
  return findings;
}

/** What the last check of the whole file said and when: for `state status`. Inside the caller's transaction. */
export interface CheckNote {
  readonly atMs: number;
  readonly result: string;
}

export function noteCheck(db: Db, { atMs, result }: CheckNote): void {
  const write = db.prepare("INSERT INTO meta (key, value) VALUES (:key, :value) ON CONFLICT (key) DO UPDATE SET value = excluded.value");
  write.run({ key: "last_check_ms", value: String(atMs) });
  write.run({ key: "last_check_result", value: result });
}

/** A result in the words of `state status`. */
export function checkResult(findings: readonly StateFinding[]): string {
  const [first] = findings;
  return first === undefined ? "ok" : `${first.detail}${findings.length === 1 ? "" : ` (and ${findings.length - 1} more)`}`;
}

export function brokenReferences(db: Db): StateFinding[] {
  return db.prepare("PRAGMA foreign_key_check").all().map((row): StateFinding => ({
    code: "foreign_key",
    detail: `row ${String(row["rowid"])} of ${String(row["table"])} points to nothing in ${String(row["parent"])}`,
  }));
}

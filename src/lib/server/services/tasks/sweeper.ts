import { errorText } from "../../../core/index.ts";
import type { ServerContext } from "../../context.ts";
import { all, run } from "../../db/query.ts";
import { inTransaction } from "../../transaction.ts";
import { failByServer } from "./fail.ts";
import { HELD_STATES, sqlStates } from "./states.ts";
import type { TaskStatus } from "../../rows/index.ts";

const EXPIRE_AT_ONCE = 500;
const HELD = sqlStates(HELD_STATES);

/** Since when each online runtime has been seen online without a break, and when the last sweep ran. Epoch milliseconds. */
interface OnlineTimes {
  readonly since: Map<string, number>;
  lastSweep: number;
}

export interface Sweeper {
  /** One round, now. Never throws: a step that fails is logged and tried again next time. */
  sweep(): void;
  stop(): void;
}

/** Starts the rounds that end what nobody reports on any more, every `sweepEveryMs` (server-api.md 11.4, 14.5). */
export function startSweeper(ctx: ServerContext): Sweeper {
  const online: OnlineTimes = { since: new Map(), lastSweep: ctx.clock.now() };
  const sweep = (): void => {
    for (const [name, step] of STEPS) {
      try {
        step(ctx, online);
      } catch (error) {
        ctx.logger.error("sweep step failed", { step: name, error: errorText(error) });
      }
    }
    online.lastSweep = ctx.clock.now();
  };
  return { sweep, stop: ctx.clock.every(ctx.thresholds.sweepEveryMs, sweep) };
}

type Step = (ctx: ServerContext, online: OnlineTimes) => void;

const STEPS: readonly (readonly [name: string, step: Step])[] = [
  ["mark offline", markOffline],
  ["online times", trackOnline],
  ["offline tasks", (ctx) => failTasks(ctx, OFFLINE)],
  ["dispatch timeout", (ctx) => failTasks(ctx, NEVER_STARTED)],
  ["run timeout", (ctx) => failTasks(ctx, RUNNING_SILENT)],
  ["queue expiry", expireQueue],
  ["old runtimes", deleteOldRuntimes],
];

function markOffline(ctx: ServerContext): void {
  const before = ctx.clock.now() - ctx.thresholds.runtimeOfflineMs;
  inTransaction(ctx, (tx) => {
    const gone = all<{ id: string }>(
      tx.db,
      `UPDATE agent_runtime SET status = 'offline', updated_at = :now
       WHERE status = 'online' AND coalesce(last_seen_at, 0) <= :before RETURNING id`,
      { now: tx.now, before },
    );
    for (const { id } of gone) ctx.logger.info("runtime offline", { runtime: id });
  });
}

/**
 * A queue may only expire while its runtime could have emptied it. A machine that slept comes back with old rows and a
 * runtime that looks online for a moment: the gap between two sweeps tells, and the time starts anew (14.5).
 */
function trackOnline(ctx: ServerContext, online: OnlineTimes): void {
  const now = ctx.clock.now();
  if (now - online.lastSweep > 3 * ctx.thresholds.sweepEveryMs) online.since.clear();
  const ids = new Set(all<{ id: string }>(ctx.db, "SELECT id FROM agent_runtime WHERE status = 'online'").map((row) => row.id));
  for (const id of online.since.keys()) if (!ids.has(id)) online.since.delete(id);
  for (const id of ids) if (!online.since.has(id)) online.since.set(id, now);
}

interface Rule {
  readonly reason: string;
  readonly error: string;
  readonly from: readonly TaskStatus[];
  readonly sql: string;
}

/** Runtime gone for longer than the grace; a row that is deleted counts from the task's last change. */
const OFFLINE: Rule = {
  reason: "runtime_offline",
  error: "runtime went offline",
  from: HELD_STATES,
  sql: `SELECT t.id FROM task t LEFT JOIN agent_runtime r ON r.id = t.runtime_id
        WHERE t.status IN (${HELD}) AND (r.id IS NULL OR r.status = 'offline')
          AND coalesce(r.last_seen_at, t.updated_at) <= :silent`,
};

const NEVER_STARTED: Rule = {
  reason: "timeout",
  error: "task timed out",
  from: ["dispatched"],
  sql: `SELECT id FROM task WHERE status = 'dispatched' AND dispatched_at < :dispatched
          AND (prepare_lease_expires_at IS NULL OR prepare_lease_expires_at <= :now)`,
};

/** A long run is fine while its daemon lives; one whose daemon is silent as well is not (newer rule). */
const RUNNING_SILENT: Rule = {
  reason: "timeout",
  error: "task timed out",
  from: ["running"],
  sql: `SELECT t.id FROM task t LEFT JOIN agent_runtime r ON r.id = t.runtime_id
        WHERE t.status = 'running' AND t.started_at < :started AND coalesce(r.last_seen_at, 0) <= :silent`,
};

function failTasks(ctx: ServerContext, rule: Rule): void {
  const { thresholds } = ctx;
  const now = ctx.clock.now();
  const silent = now - Math.max(thresholds.offlineGraceMs, thresholds.runtimeOfflineMs);
  const times = { now, silent, dispatched: now - thresholds.dispatchTimeoutMs, started: now - thresholds.runningTimeoutMs };
  const named = Object.fromEntries(Object.entries(times).filter(([name]) => rule.sql.includes(`:${name}`)));
  for (const { id } of all<{ id: string }>(ctx.db, rule.sql, named)) {
    const outcome = inTransaction(ctx, (tx) => failByServer(tx, id, rule));
    if (outcome !== undefined) ctx.logger.warn("task failed by the sweeper", { task: id, reason: rule.reason });
  }
}

function expireQueue(ctx: ServerContext, online: OnlineTimes): void {
  const before = ctx.clock.now() - ctx.thresholds.queueExpiryMs;
  const runtimes = [...online.since].filter(([, since]) => since <= before).map(([id]) => id);
  const sql = `SELECT id FROM task WHERE status = 'queued' AND created_at <= :before
                 AND runtime_id IN (SELECT value FROM json_each(:runtimes)) ORDER BY created_at LIMIT ${EXPIRE_AT_ONCE}`;
  const failure = { reason: "queued_expired", error: "task expired in queue", from: ["queued"] as const };
  for (const { id } of all<{ id: string }>(ctx.db, sql, { before, runtimes: JSON.stringify(runtimes) })) {
    inTransaction(ctx, (tx) => failByServer(tx, id, failure));
  }
}

/** A runtime nobody has heard of for days and no agent is bound to: this is what later answers "runtime not found". */
function deleteOldRuntimes(ctx: ServerContext): void {
  const before = ctx.clock.now() - ctx.thresholds.runtimeDeleteMs;
  inTransaction(ctx, (tx) => {
    run(
      tx.db,
      `DELETE FROM agent_runtime WHERE status = 'offline' AND coalesce(last_seen_at, created_at) <= :before
         AND NOT EXISTS (SELECT 1 FROM agent a WHERE a.runtime_id = agent_runtime.id AND a.archived_at IS NULL)`,
      { before },
    );
  });
}

import { errorText } from "../../../core/index.ts";
import type { ServerContext, Thresholds } from "../../context.ts";
import { all, run } from "../../db/query.ts";
import { inTransaction } from "../../transaction.ts";
import { settleTurn } from "../chat/cancelled.ts";
import { expireRequests } from "../requests/store.ts";
import { failByServer } from "./fail.ts";
import { HELD_STATES, sqlStates } from "./states.ts";
import type { TaskStatus } from "../../rows/index.ts";

const EXPIRE_AT_ONCE = 500;
const HELD = sqlStates(HELD_STATES);

/**
 * What the sweeper has seen itself, in epoch milliseconds. Silence counts only while somebody listened: after a restart
 * of the server, or a night in which the whole machine slept, every daemon looks dead until its next heartbeat (14.5).
 */
interface Watch {
  /** Since when sweeps have followed each other without a gap. */
  since: number;
  lastSweep: number;
  /** Since when each online runtime has been online without a break. */
  readonly online: Map<string, number>;
}

export interface Sweeper {
  /** One round, now. Never throws: a step that fails is logged and tried again next time. */
  sweep(): void;
  stop(): void;
}

/** Starts the rounds that end what nobody reports on any more, every `sweepEveryMs` (server-api.md 11.4, 14.5). */
export function startSweeper(ctx: ServerContext): Sweeper {
  const watch: Watch = { since: ctx.clock.now(), lastSweep: ctx.clock.now(), online: new Map() };
  const sweep = (): void => {
    noticeGap(ctx, watch);
    for (const [name, step] of STEPS) {
      try {
        step(ctx, watch);
      } catch (error) {
        ctx.logger.error("sweep step failed", { step: name, error: errorText(error) });
      }
    }
  };
  return { sweep, stop: ctx.clock.every(ctx.thresholds.sweepEveryMs, sweep) };
}

type Step = (ctx: ServerContext, watch: Watch) => void;

const STEPS: readonly (readonly [name: string, step: Step])[] = [
  ["mark offline", markOffline],
  ["online times", trackOnline],
  ["offline tasks", (ctx, watch) => failTasks(ctx, watch, OFFLINE)],
  ["dispatch timeout", (ctx, watch) => failTasks(ctx, watch, NEVER_STARTED)],
  ["run timeout", (ctx, watch) => failTasks(ctx, watch, RUNNING_SILENT)],
  ["queue expiry", expireQueue],
  ["lost runtimes", expireRetries],
  ["cancelled chats", settleChats],
  ["old runtimes", deleteOldRuntimes],
  ["old requests", (ctx) => inTransaction(ctx, expireRequests)],
];

function noticeGap(ctx: ServerContext, watch: Watch): void {
  const now = ctx.clock.now();
  if (now - watch.lastSweep > 3 * ctx.thresholds.sweepEveryMs) {
    ctx.logger.info("time has passed without a sweep, silence counts from now", { gapMs: now - watch.lastSweep });
    watch.since = now;
    watch.online.clear();
  }
  watch.lastSweep = now;
}

function markOffline(ctx: ServerContext, watch: Watch): void {
  const before = ctx.clock.now() - ctx.thresholds.runtimeOfflineMs;
  if (watch.since > before) return;
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

/** A queue may only expire while its runtime could have emptied it. */
function trackOnline(ctx: ServerContext, watch: Watch): void {
  const ids = new Set(all<{ id: string }>(ctx.db, "SELECT id FROM agent_runtime WHERE status = 'online'").map((row) => row.id));
  for (const id of watch.online.keys()) if (!ids.has(id)) watch.online.delete(id);
  for (const id of ids) if (!watch.online.has(id)) watch.online.set(id, ctx.clock.now());
}

interface Rule {
  readonly reason: string;
  readonly error: string;
  readonly from: readonly TaskStatus[];
  /** How long the sweeper must have watched before the rule may be applied. */
  readonly patience: (thresholds: Thresholds) => number;
  readonly sql: string;
}

const grace = (thresholds: Thresholds): number => Math.max(thresholds.offlineGraceMs, thresholds.runtimeOfflineMs);

/** Runtime gone for longer than the grace; a row that is deleted counts from the task's last change. */
const OFFLINE: Rule = {
  reason: "runtime_offline",
  error: "runtime went offline",
  from: HELD_STATES,
  patience: grace,
  sql: `SELECT t.id FROM task t LEFT JOIN agent_runtime r ON r.id = t.runtime_id
        WHERE t.status IN (${HELD}) AND (r.id IS NULL OR r.status = 'offline')
          AND coalesce(r.last_seen_at, t.updated_at) <= :silent`,
};

const NEVER_STARTED: Rule = {
  reason: "timeout",
  error: "task timed out",
  from: ["dispatched"],
  patience: (thresholds) => thresholds.dispatchTimeoutMs,
  sql: `SELECT id FROM task WHERE status = 'dispatched' AND dispatched_at < :dispatched
          AND (prepare_lease_expires_at IS NULL OR prepare_lease_expires_at <= :now)`,
};

/** A long run is fine while its daemon lives; one whose daemon is silent as well is not (newer rule). */
const RUNNING_SILENT: Rule = {
  reason: "timeout",
  error: "task timed out",
  from: ["running"],
  patience: grace,
  sql: `SELECT t.id FROM task t LEFT JOIN agent_runtime r ON r.id = t.runtime_id
        WHERE t.status = 'running' AND t.started_at < :started AND coalesce(r.last_seen_at, 0) <= :silent`,
};

function failTasks(ctx: ServerContext, watch: Watch, rule: Rule): void {
  const { thresholds } = ctx;
  const now = ctx.clock.now();
  if (now - watch.since < rule.patience(thresholds)) return;
  const times = { now, silent: now - grace(thresholds), dispatched: now - thresholds.dispatchTimeoutMs, started: now - thresholds.runningTimeoutMs };
  const named = Object.fromEntries(Object.entries(times).filter(([name]) => rule.sql.includes(`:${name}`)));
  for (const { id } of all<{ id: string }>(ctx.db, rule.sql, named)) {
    const outcome = inTransaction(ctx, (tx) => failByServer(tx, id, rule));
    if (outcome !== undefined) ctx.logger.warn("task failed by the sweeper", { task: id, reason: rule.reason });
  }
}

function expireQueue(ctx: ServerContext, watch: Watch): void {
  const before = ctx.clock.now() - ctx.thresholds.queueExpiryMs;
  const runtimes = [...watch.online].filter(([, since]) => since <= before).map(([id]) => id);
  const sql = `SELECT id FROM task WHERE status = 'queued' AND created_at <= :before
                 AND runtime_id IN (SELECT value FROM json_each(:runtimes)) ORDER BY created_at LIMIT ${EXPIRE_AT_ONCE}`;
  const failure = { reason: "queued_expired", error: "task expired in queue", from: ["queued"] as const };
  for (const { id } of all<{ id: string }>(ctx.db, sql, { before, runtimes: JSON.stringify(runtimes) })) {
    inTransaction(ctx, (tx) => failByServer(tx, id, failure));
  }
}

/** A retry waits for the runtime that went away under its task, but not for ever. */
function expireRetries(ctx: ServerContext, watch: Watch): void {
  const { reconnectMs } = ctx.thresholds;
  const now = ctx.clock.now();
  if (now - watch.since < reconnectMs) return;
  const sql = `SELECT t.id FROM task t JOIN task p ON p.id = t.parent_task_id LEFT JOIN agent_runtime r ON r.id = t.runtime_id
    WHERE t.status = 'deferred' AND p.failure_reason = 'runtime_offline' AND t.fire_at <= :before AND (r.id IS NULL OR r.status = 'offline')`;
  const failure = { reason: "runtime_reconnect_timeout", error: "runtime did not come back", from: ["deferred"] as const };
  for (const { id } of all<{ id: string }>(ctx.db, sql, { before: now - reconnectMs })) {
    const outcome = inTransaction(ctx, (tx) => failByServer(tx, id, failure));
    if (outcome !== undefined) ctx.logger.warn("retry given up by the sweeper", { task: id });
  }
}

/** A cancelled chat turn whose daemon does not say that it is over: what has come by now is what there is. */
function settleChats(ctx: ServerContext, watch: Watch): void {
  const { chatOutcomeMs } = ctx.thresholds;
  const now = ctx.clock.now();
  if (now - watch.since < chatOutcomeMs) return;
  const sql = "SELECT id FROM task WHERE chat_outcome IS NOT NULL AND completed_at <= :before";
  for (const { id } of all<{ id: string }>(ctx.db, sql, { before: now - chatOutcomeMs })) inTransaction(ctx, (tx) => settleTurn(tx, id));
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

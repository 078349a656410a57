import type { Clock } from "../../platform/index.ts";
import { type Lane, isTerminal, readyTerminal } from "./lane.ts";
import type { Outbox } from "./outbox.ts";

/**
 * Delivers the terminal reports of the runtimes that `ours` names, at most for `ms`. False when some still wait: then the
 * server must not be told to give up those runtimes' tasks, or finished work would be thrown away (state-db.md 17, step 8).
 */
export function flushTerminals(outbox: Outbox, clock: Clock, ours: (runtimeId: string) => boolean, ms: number): Promise<boolean> {
  const mine = (lane: Lane): boolean => ours(lane.runtimeId) && readyTerminal(lane) !== undefined;
  outbox.kick(mine);
  return until(outbox, clock, ms, () => (![...outbox.lanes.values()].some(mine) ? true : undefined));
}

/** Delivers everything of one task, at most for `ms`. False when something still waits. */
export function flushTask(outbox: Outbox, clock: Clock, taskId: string, ms: number): Promise<boolean> {
  outbox.kick((lane) => lane.id === taskId);
  return until(outbox, clock, ms, () => (outbox.lanes.has(taskId) ? undefined : true));
}

/** Delivers what it can before the daemon ends, at most for `ms`; gives up as soon as the server is seen to be away. */
export function flushAll(outbox: Outbox, clock: Clock, ms: number): Promise<boolean> {
  const { looks } = outbox;
  outbox.kick();
  return until(outbox, clock, ms, () => {
    if (outbox.lanes.size === 0) return true;
    return outbox.closed !== null && outbox.looks > looks ? false : undefined;
  });
}

function until(outbox: Outbox, clock: Clock, ms: number, check: () => boolean | undefined): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const look = (): void => {
    const answer = check();
    if (answer !== undefined) resolve(answer);
  };
  const stopWatching = outbox.watch(look);
  const cancel = clock.setTimer(ms, () => resolve(check() ?? false));
  look();
  return promise.finally(() => {
    stopWatching();
    cancel();
  });
}

/** What `daemon status` shows of the outbox: counts and since when, never a body. */
export interface OutboxFacts {
  readonly waiting: number;
  readonly tasks: number;
  readonly results: number;
  readonly bytes: number;
  /** Epoch milliseconds of the oldest report; null when nothing waits. */
  readonly oldestMs: number | null;
  /** Why nothing is sent: the server is away or refuses the token; null when reports are being sent. */
  readonly paused: "away" | "auth" | null;
}

export function outboxFacts(outbox: Outbox): OutboxFacts {
  const entries = [...outbox.lanes.values()].flatMap((lane) => lane.entries);
  return {
    waiting: entries.length,
    tasks: outbox.lanes.size,
    results: entries.filter(isTerminal).length,
    bytes: entries.reduce((sum, entry) => sum + entry.bytes, 0),
    oldestMs: entries.length === 0 ? null : Math.min(...entries.map((entry) => entry.createdMs)),
    paused: entries.length === 0 ? null : outbox.closed,
  };
}

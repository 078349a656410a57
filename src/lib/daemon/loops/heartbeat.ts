import { jittered } from "../../core/index.ts";
import type { PendingActions } from "../../wire/index.ts";
import type { DaemonContext } from "../context.ts";
import type { AckStamps } from "../ack-stamps.ts";

export type BeatAnswer =
  | { readonly kind: "ok"; readonly actions?: PendingActions }
  | { readonly kind: "runtime_gone" }
  | { readonly kind: "transient" | "failed"; readonly error: string };

export interface HeartbeatParts extends Pick<DaemonContext, "clock" | "logger" | "runtimes" | "rootSignal"> {
  readonly intervalMs: number;
  readonly stamps: AckStamps;
  readonly random?: () => number;
  /** One HTTP heartbeat; must not throw. */
  beat(runtimeId: string, signal: AbortSignal): Promise<BeatAnswer>;
  runtimeGone(runtimeId: string): void;
  /** What the server asks for with its answer; must not wait. */
  onActions?(runtimeId: string, actions: PendingActions): void;
  /** Gives up kept connections: one that died in a sleep would spoil every request. */
  renewConnections?(): void;
}

/** So many transient failures in a row are no accident. */
const RENEW_AFTER = 2;

const DEFAULT_INTERVAL_MS = 15_000;

/**
 * One independent beat loop a runtime (daemon.md 8.1, 8.2): a request that hangs for one delays no other.
 * Resolves when the root signal aborts and all loops have ended.
 */
export async function runHeartbeats(parts: HeartbeatParts): Promise<void> {
  const { clock, runtimes, rootSignal } = parts;
  const changes = runtimes.changes.subscribe();
  const loops = new Map<string, AbortController>();
  const running = new Set<Promise<void>>();
  while (!rootSignal.aborted) {
    const wanted = new Set(runtimes.ids());
    for (const [id, stop] of loops) {
      if (wanted.has(id)) continue;
      stop.abort();
      loops.delete(id);
      parts.stamps.forget(id);
    }
    for (const id of wanted) {
      if (loops.has(id)) continue;
      const stop = new AbortController();
      loops.set(id, stop);
      const loop = beatLoop(parts, id, AbortSignal.any([stop.signal, rootSignal]));
      running.add(loop);
      void loop.finally(() => running.delete(loop));
    }
    await changes.wait(clock, Infinity, rootSignal);
  }
  runtimes.changes.unsubscribe(changes);
  await Promise.all(running);
}

async function beatLoop(parts: HeartbeatParts, id: string, signal: AbortSignal): Promise<void> {
  const { clock } = parts;
  const interval = parts.intervalMs > 0 ? parts.intervalMs : DEFAULT_INTERVAL_MS;
  const counter = { transient: 0 };
  try {
    // A random first delay: otherwise every start sends a burst.
    await clock.sleep(jittered(interval / 2, 1, parts.random), signal);
    while (!signal.aborted) {
      const next = clock.monotonic() + interval;
      if (!parts.stamps.isFresh(id, 2 * interval) && (await tick(parts, id, signal, counter)) === "end") return;
      await clock.sleep(Math.max(0, next - clock.monotonic()), signal);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

async function tick(parts: HeartbeatParts, id: string, signal: AbortSignal, counter: { transient: number }): Promise<"go" | "end"> {
  const answer = await parts.beat(id, signal);
  if (signal.aborted) return "end";
  if (answer.kind === "runtime_gone") {
    // Not awaited: the recovery stops this very loop.
    parts.runtimeGone(id);
    return "end";
  }
  counter.transient = answer.kind === "transient" ? counter.transient + 1 : 0;
  if (counter.transient === RENEW_AFTER) parts.renewConnections?.();
  if (answer.kind === "ok") {
    if (answer.actions !== undefined) parts.onActions?.(id, answer.actions);
  } else parts.logger.warn("heartbeat failed", { runtime: id, error: answer.error, consecutive: counter.transient });
  return "go";
}

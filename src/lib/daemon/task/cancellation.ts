import { errorText } from "../../core/index.ts";
import { type Clock, deadline } from "../../platform/index.ts";
import type { Logger } from "../../platform/logger.ts";
import { isTerminalState } from "../../wire/index.ts";
import type { Reconcile } from "../reconcile.ts";

const STATUS_POLL_MS = 5000;
const STATUS_REQUEST_MS = 30_000;

/** What the server says about a task that still runs here; `unknown` covers every answer that proves nothing. */
export type ServerVerdict = { readonly kind: "live" } | { readonly kind: "over"; readonly state: string } | { readonly kind: "gone" } | { readonly kind: "unknown" };

export interface StatusProbe {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly status: (signal: AbortSignal) => Promise<string>;
  /** True for the 404 that means "this task was deleted". */
  readonly isGone: (error: unknown) => boolean;
}

/** Asks once. Only a terminal state or the task's absence count; a broken link is never taken for an answer (daemon.md 11.5). */
export async function askServer(probe: StatusProbe, parent?: AbortSignal): Promise<ServerVerdict> {
  const limit = deadline(probe.clock, STATUS_REQUEST_MS, parent);
  try {
    const state = await probe.status(limit.signal);
    return isTerminalState(state) ? { kind: "over", state } : { kind: "live" };
  } catch (error) {
    if (probe.isGone(error)) return { kind: "gone" };
    probe.logger.debug("task status unknown", { error: errorText(error) });
    return { kind: "unknown" };
  } finally {
    limit.done();
  }
}

/**
 * Asks every 5 s, and whenever the socket was connected again, until the server has finished the task or `stop` is
 * called; then calls `onOver` once. Every other answer and every error changes nothing: the agent goes on.
 */
export function watchCancellation(options: {
  readonly probe: StatusProbe;
  readonly reconcile: Reconcile;
  readonly onOver: (verdict: { readonly kind: "over"; readonly state: string } | { readonly kind: "gone" }) => void;
}): { stop: () => void } {
  const stopped = new AbortController();
  void watch(options, stopped.signal);
  return { stop: () => stopped.abort() };
}

async function watch(options: Parameters<typeof watchCancellation>[0], signal: AbortSignal): Promise<void> {
  const { probe, reconcile, onOver } = options;
  let ticket = reconcile.subscribe();
  while (!signal.aborted) {
    await nextTurn(probe.clock, ticket.fired, signal);
    ticket.cancel();
    if (signal.aborted) return;
    // Before the request, so that a reconnection during it is not lost.
    ticket = reconcile.subscribe();
    const verdict = await askServer(probe, signal);
    if (signal.aborted) break;
    if (verdict.kind === "over" || verdict.kind === "gone") {
      ticket.cancel();
      onOver(verdict);
      return;
    }
  }
  ticket.cancel();
}

function nextTurn(clock: Clock, reconciled: Promise<void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      cancel();
      signal.removeEventListener("abort", done);
      resolve();
    };
    const cancel = clock.setTimer(STATUS_POLL_MS, done);
    signal.addEventListener("abort", done, { once: true });
    void reconciled.then(done);
  });
}

import type { PostedFrame } from "../../api/frame-queue.ts";
import { backoff } from "../../core/index.ts";
import type { Frame } from "../../wire/index.ts";
import type { DaemonContext } from "../context.ts";
import type { Mailbox } from "../mailbox.ts";

/** One open connection, as the api room gives it. */
export interface SocketSession {
  /** Null when it is not open or its queue is full. */
  post(frame: Frame): PostedFrame | null;
  close(): void;
}

export interface SocketHandlers {
  onOpen(): void;
  onFrame(frame: Frame): void;
  /** `status`: the answer to a refused handshake. */
  onClose(info: { readonly reason: string; readonly status?: number | undefined }): void;
}

export interface SocketParts extends Pick<DaemonContext, "clock" | "limits" | "logger" | "runtimes" | "rootSignal"> {
  readonly random?: () => number;
  /** Starts one connection bound to these runtime ids; `onClose` is called exactly once, also when it never opened. */
  dial(runtimeIds: readonly string[], handlers: SocketHandlers): SocketSession;
  /** Called on every successful connection: catch up on whatever only hints tell. The answer is called when it is lost. */
  onConnected(session: SocketSession, runtimeIds: readonly string[]): () => void;
  onFrame(frame: Frame): void;
  /** Called after every lost connection. */
  onDisconnected(): void;
}

type Ended =
  | { readonly why: "changed" }
  | { readonly why: "aborted" }
  | { readonly why: "closed"; readonly opened: boolean; readonly lastedMs: number; readonly status: number | undefined };

/**
 * Keeps one connection for the present set of runtimes (daemon.md 9.1): a changed set reconnects at once,
 * a lost connection after 1 s doubling to 30 s, reset when it had lasted. Never throws; the daemon works without it.
 */
export async function runSocket(parts: SocketParts): Promise<void> {
  const { clock, limits, logger, runtimes, rootSignal } = parts;
  const changes = runtimes.changes.subscribe();
  const delay = backoff({
    baseMs: limits.socketBackoffBase,
    maxMs: limits.socketBackoffMax,
    jitter: 0.2,
    ...(parts.random === undefined ? {} : { random: parts.random }),
  });
  let attempt = 0;
  let emptyRefused = false;
  while (!rootSignal.aborted) {
    changes.take();
    const ids = runtimes.ids();
    if (ids.length === 0 && emptyRefused) {
      await changes.wait(clock, limits.socketNoRuntimesWait, rootSignal);
      continue;
    }
    const ended = await oneConnection(parts, ids, changes);
    if (ended.why === "aborted") break;
    if (ended.why === "changed") {
      attempt = 0;
      continue;
    }
    if (ids.length === 0 && ended.status === 400) {
      // An older server takes no connection without runtimes; asking again would be a storm.
      emptyRefused = true;
      continue;
    }
    if (ended.opened && ended.lastedMs >= limits.socketHealthy) attempt = 0;
    const pause = delay(attempt);
    attempt += 1;
    logger.debug("task wakeup websocket closed", { opened: ended.opened, lasted_ms: Math.round(ended.lastedMs), next_delay_ms: pause });
    if ((await changes.wait(clock, pause, rootSignal)) === "signal") attempt = 0;
  }
  runtimes.changes.unsubscribe(changes);
}

async function oneConnection(parts: SocketParts, ids: readonly string[], changes: Mailbox): Promise<Ended> {
  const { clock, logger, rootSignal } = parts;
  const over = new AbortController();
  const closed = Promise.withResolvers<Ended>();
  let openedAt: number | undefined;
  let stopConnected = (): void => undefined;
  const session: SocketSession = parts.dial(ids, {
    onOpen: () => {
      openedAt = clock.monotonic();
      logger.info("task wakeup websocket connected", { runtimes: ids.length });
      stopConnected = parts.onConnected(session, ids);
    },
    onFrame: (frame) => parts.onFrame(frame),
    onClose: ({ reason, status }) => {
      if (openedAt === undefined) logger.debug("task wakeup websocket refused", { reason, status });
      const lastedMs = openedAt === undefined ? 0 : clock.monotonic() - openedAt;
      closed.resolve({ why: "closed", opened: openedAt !== undefined, lastedMs, status });
    },
  });
  const watcher = setChanged(parts, ids, changes, AbortSignal.any([over.signal, rootSignal]));
  const ended = await Promise.race([closed.promise, watcher]);
  over.abort();
  // A change in the same moment counts: its signal is used up and would not end the back-off.
  const changed = (await watcher).why === "changed";
  session.close();
  stopConnected();
  await closed.promise;
  parts.onDisconnected();
  return changed ? { why: "changed" } : ended;
}

/** Resolves when the set of runtimes is no longer the one of this connection, or the signal aborts. */
async function setChanged(parts: SocketParts, ids: readonly string[], changes: Mailbox, signal: AbortSignal): Promise<Ended> {
  const mine = ids.join(",");
  for (;;) {
    if ((await changes.wait(parts.clock, Infinity, signal)) === "aborted") return { why: "aborted" };
    if (parts.runtimes.ids().join(",") !== mine) return { why: "changed" };
  }
}

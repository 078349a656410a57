import { parentPort, workerData } from "node:worker_threads";
import { MulticaError, errorText } from "../../core/index.ts";
import { systemClock } from "../../platform/index.ts";
import type { StateFinding } from "../check.ts";
import { openStateReader } from "../open.ts";
import type { Logger } from "../../platform/logger.ts";
import type { LocalIndex } from "./handle.ts";
import { openIndex } from "./open.ts";
import type { Call, FromWorker, LogLevel, ToWorker, WorkerData } from "./protocol.ts";

// The daemon's worker thread: the one connection of that process to the rollout index, and all the reading of rollouts.
// Everything SQLite does is synchronous; here nobody's heartbeat waits for it (state-db.md 14.1, 20.1).

const CHECK_MS = 15_000;
const AGAIN_MS = 10_000;
const ANEW_MS = 50;

const port = parentPort;
const data = workerData as WorkerData;
const clock = systemClock;
const over = new AbortController();
/** Ends the pause between two looks at the file: a call has met that it is gone. */
let look: () => void = () => undefined;
let index: LocalIndex | null = null;
let open = Promise.withResolvers<LocalIndex>();
let asked = 0;
let cancelSleep: () => void = () => undefined;

const say = (message: FromWorker): void => port?.postMessage(message);
const logger = forwarding({});

/** Lines go to the daemon's log: one writer per log file. */
function forwarding(base: Readonly<Record<string, unknown>>): Logger {
  const line =
    (level: LogLevel) =>
    (message: string, fields: Readonly<Record<string, unknown>> = {}): void => {
      const plain = Object.entries({ ...base, ...fields }).map(([key, value]) => [key, value instanceof Error ? errorText(value) : value]);
      say({ kind: "log", level, message, fields: Object.fromEntries(plain) as Record<string, unknown> });
    };
  return { debug: line("debug"), info: line("info"), warn: line("warn"), error: line("error"), child: (fields) => forwarding({ ...base, ...fields }), close: () => undefined };
}

/** Opens, fills and keeps open; again when the file is deleted, replaced or damaged under us. */
async function keepOpen(): Promise<void> {
  while (!over.signal.aborted) {
    try {
      index ??= await openIndex({ ...data, clock, logger, signal: over.signal });
      open.resolve(index);
      say({ kind: "ready", path: index.path });
      sleepLater();
      while (!index.lost && !over.signal.aborted) await pause(CHECK_MS);
      if (over.signal.aborted) break;
      logger.warn("the rollout index is gone or damaged and is made anew", { path: index.path });
      await away();
    } catch (error) {
      if (over.signal.aborted) break;
      logger.warn("the rollout index is not usable for now", { error: errorText(error) });
      await away();
      await pause(AGAIN_MS);
    }
  }
  cancelSleep();
  await index?.close();
  port?.close();
}

/** A thread costs memory; one that nobody asks ends itself. */
function sleepLater(): void {
  cancelSleep();
  if (asked > 0 || over.signal.aborted) return;
  cancelSleep = clock.setTimer(data.idleMs, () => {
    say({ kind: "asleep" });
    over.abort(new MulticaError("aborted", "nobody asks"));
  });
}

async function away(): Promise<void> {
  say({ kind: "away" });
  open = Promise.withResolvers<LocalIndex>();
  await index?.close();
  index = null;
}

async function pause(ms: number): Promise<void> {
  const woken = new AbortController();
  look = () => woken.abort();
  await clock.sleep(ms, AbortSignal.any([woken.signal, over.signal])).catch(() => undefined);
}

async function perform(local: LocalIndex, call: Exclude<Call, { name: "checkState" }>): Promise<unknown> {
  switch (call.name) {
    case "list":
      return local.list(call.query);
    case "get":
      return local.get(call.threadId);
    case "idsWithPrefix":
      return local.idsWithPrefix(call.prefix, call.limit);
    case "find":
      return local.find(call.threadId, call.options);
    case "files":
      return local.files(call.threadId);
    case "refresh":
      return local.refresh({ ...call.options, signal: over.signal });
    case "status":
      return local.status();
    case "check":
      return local.check(call.options);
    case "discard":
      await local.discard();
      look();
      while (index === local || index === null) await clock.sleep(ANEW_MS, over.signal);
      return null;
  }
}

/** Reads the whole of the daemon's other file: here, because its own thread must not stand still. */
function checkStateFile(full: boolean): StateFinding[] {
  const reader = openStateReader({ stateDir: data.stateDir });
  try {
    return reader?.check(full) ?? [];
  } finally {
    reader?.close();
  }
}

async function answer(id: number, call: Call): Promise<void> {
  cancelSleep();
  asked += 1;
  try {
    if (call.name === "checkState") {
      say({ kind: "answer", id, value: checkStateFile(call.full) });
      return;
    }
    const local = await open.promise;
    if (local.lost) throw new MulticaError("index_away", "the rollout index is not open", { retry: "later" });
    say({ kind: "answer", id, value: await perform(local, call) });
  } catch (error) {
    if (index?.lost === true) look();
    say({ kind: "failure", id, code: error instanceof MulticaError ? error.code : "state_failed", message: errorText(error) });
  } finally {
    asked -= 1;
    sleepLater();
  }
}

port?.on("message", (message: ToWorker) => {
  if (message.kind === "stop") over.abort(new MulticaError("aborted", "the daemon stops"));
  else void answer(message.id, message.call);
});
void keepOpen();

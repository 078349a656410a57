import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { MulticaError, errorText } from "../../core/index.ts";
import { type Clock, packageRoot, withTimeout } from "../../platform/index.ts";
import type { Logger } from "../../platform/logger.ts";
import type { StateFinding } from "../check.ts";
import type { CheckOptions } from "./check.ts";
import type { IndexHandle, RefreshOptions } from "./handle.ts";
import type { KnownFile } from "./lookup.ts";
import type { Call, FromWorker, ToWorker, WorkerData } from "./protocol.ts";
import type { BackfillStats, FindOptions, FoundRollout, IndexStatus, SessionPage, SessionQuery, SessionRow } from "./types.ts";

const ANSWER_MS = 15_000;
const REFRESH_MS = 30 * 60_000;
const STOP_MS = 5000;
const RESTART_MS = 30_000;
const HEAP_MB = 256;
const IDLE_MS = 5000;

export interface IndexWorkerOptions extends Omit<WorkerData, "asItIs" | "idleMs"> {
  readonly clock: Clock;
  readonly logger: Logger;
  /** How long the thread stays without a question, milliseconds; 5 s unless given. */
  readonly idleMs?: number;
}

interface Waiting {
  readonly call: Call;
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/**
 * The index in a thread of its own, for a process that must answer meanwhile: the daemon. `handle` is null until the index
 * is open and complete, and again while it is made anew. The thread ends when nobody asks, and the next question starts it
 * again; one that dies is started again after a while. Entry points only.
 */
export class IndexWorker {
  readonly #options: IndexWorkerOptions;
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | null = null;
  #handle: IndexHandle | null = null;
  #next = 1;
  #stopped = false;
  #asleep = false;
  #filled = false;
  #cancelRestart: () => void = () => undefined;

  constructor(options: IndexWorkerOptions) {
    this.#options = options;
  }

  get handle(): IndexHandle | null {
    return this.#handle;
  }

  start(): void {
    const { stateDir, version, places, journalMode = "wal", logger } = this.#options;
    // The first one looks through the files; later ones are asked to when it is time.
    const data: WorkerData = { stateDir, version, places, journalMode, asItIs: this.#filled, idleMs: this.#options.idleMs ?? IDLE_MS };
    this.#asleep = false;
    const worker = new Worker(workerFile(), { workerData: data, resourceLimits: { maxOldGenerationSizeMb: HEAP_MB } });
    this.#worker = worker;
    worker.on("message", (message: FromWorker) => this.#hear(message));
    worker.on("error", (error) => logger.warn("the index thread broke", { error: errorText(error) }));
    worker.on("exit", () => this.#ended(worker));
    // The daemon's own work decides when it ends, not this thread.
    worker.unref();
  }

  /** Ends the thread after what it is writing; at most 5 s. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancelRestart();
    this.#handle = null;
    const worker = this.#worker;
    if (worker === null) return;
    const gone = new Promise<void>((resolve) => worker.once("exit", () => resolve()));
    this.#post({ kind: "stop" });
    await withTimeout(this.#options.clock, STOP_MS, "the end of the index thread", gone).catch(() => worker.terminate());
  }

  #hear(message: FromWorker): void {
    if (message.kind === "log") this.#options.logger[message.level](message.message, message.fields);
    else if (message.kind === "ready") {
      this.#handle ??= this.#makeHandle(message.path);
      this.#filled = true;
    } else if (message.kind === "away") this.#handle = null;
    else if (message.kind === "asleep") this.#asleep = true;
    else {
      const waiting = this.#waiting.get(message.id);
      this.#waiting.delete(message.id);
      if (message.kind === "answer") waiting?.resolve(message.value);
      else waiting?.reject(new MulticaError(message.code, message.message));
    }
  }

  #ended(worker: Worker): void {
    if (this.#worker !== worker) return;
    this.#worker = null;
    if (this.#asleep && !this.#stopped) {
      this.#options.logger.debug("the index thread sleeps");
      // A question that crossed the last word on its way.
      if (this.#waiting.size > 0) this.start();
      for (const [id, { call }] of this.#waiting) this.#post({ kind: "call", id, call });
      return;
    }
    this.#handle = null;
    for (const waiting of this.#waiting.values()) waiting.reject(new MulticaError("index_away", "the index thread has ended", { retry: "later" }));
    this.#waiting.clear();
    if (!this.#stopped) this.#cancelRestart = this.#options.clock.setTimer(RESTART_MS, () => this.start());
  }

  #post(message: ToWorker): void {
    this.#worker?.postMessage(message);
  }

  #ask(call: Call, limitMs = ANSWER_MS): Promise<unknown> {
    if (this.#worker === null && this.#asleep && !this.#stopped) this.start();
    if (this.#worker === null) return Promise.reject(new MulticaError("index_away", "the index thread is not running", { retry: "later" }));
    const id = this.#next;
    this.#next += 1;
    const answer = new Promise<unknown>((resolve, reject) => this.#waiting.set(id, { call, resolve, reject }));
    this.#post({ kind: "call", id, call });
    return withTimeout(this.#options.clock, limitMs, `the index (${call.name})`, answer).finally(() => this.#waiting.delete(id));
  }

  /** Reads the daemon's other file in the thread too: what is wrong with it. */
  checkState(full: boolean): Promise<StateFinding[]> {
    return this.#ask({ name: "checkState", full }, REFRESH_MS) as Promise<StateFinding[]>;
  }

  #makeHandle(path: string): IndexHandle {
    const ask = <T>(call: Call, limitMs?: number): Promise<T> => this.#ask(call, limitMs) as Promise<T>;
    return {
      path,
      list: (query: SessionQuery) => ask<SessionPage>({ name: "list", query }),
      get: (threadId) => ask<SessionRow | null>({ name: "get", threadId }),
      idsWithPrefix: (prefix, limit) => ask<string[]>({ name: "idsWithPrefix", prefix, limit }),
      find: (threadId, options: FindOptions) => ask<FoundRollout | null>({ name: "find", threadId, options }),
      files: (threadId) => ask<readonly KnownFile[]>({ name: "files", threadId }),
      refresh: ({ homes, force }: RefreshOptions = {}) => ask<BackfillStats | null>({ name: "refresh", options: { homes, force } }, REFRESH_MS),
      status: () => ask<IndexStatus>({ name: "status" }),
      check: (options: CheckOptions) => ask<StateFinding[]>({ name: "check", options }, REFRESH_MS),
      discard: () => ask<void>({ name: "discard" }, REFRESH_MS),
      close: () => this.stop(),
    };
  }
}

/** The thread's own file: beside this one among the sources, under its own name in the build. */
function workerFile(): string {
  const here = fileURLToPath(import.meta.url);
  return here.endsWith(".ts") ? join(here, "..", "worker.ts") : join(packageRoot(), "dist", "lib", "state", "index-db", "worker.js");
}

import { type StatePortClient, createStatePort } from "../lib/api/state-port.ts";
import { isMulticaError } from "../lib/core/index.ts";
import { readDaemonInfo, readOperatorToken } from "../lib/daemon/files.ts";
import { systemClock } from "../lib/platform/index.ts";
import type { StateJob } from "../lib/wire/index.ts";

/** What came of a question to the daemon; without an answer the files are asked. */
export type Asked<T> =
  | { readonly kind: "answer"; readonly value: T }
  /** Nobody is there, or somebody who does not know the question: this process may do the daemon's work. */
  | { readonly kind: "none" }
  /** It is there and at work: this process may only look. */
  | { readonly kind: "busy" };

const POLL_MS = 250;
/** What a daemon says that has its own work with the index to finish first. */
const AT_WORK = new Set(["index_not_ready", "index_away"]);

/** Asks the daemon of a state directory, if there is one and we may (state-db.md 19). Its refusals are thrown. */
export async function askDaemon<T>(stateDir: string, ask: (port: StatePortClient) => Promise<T>): Promise<Asked<T>> {
  const place = readDaemonInfo(stateDir);
  const token = readOperatorToken(stateDir);
  if (place === undefined || token === undefined) return { kind: "none" };
  try {
    return { kind: "answer", value: await ask(createStatePort({ port: place.port, token })) };
  } catch (error) {
    if (!isMulticaError(error, "daemon_no_answer")) throw error;
    const slow = (error.cause as Error | undefined)?.name === "TimeoutError";
    return { kind: slow || AT_WORK.has(String(error.details?.["code"] ?? "")) ? "busy" : "none" };
  }
}

/** Waits for a job of the daemon; null when `waitMs` is over first. A job that failed, or whose daemon has gone, is thrown. */
export async function awaitJob<T>(port: StatePortClient, id: string, waitMs = Number.POSITIVE_INFINITY): Promise<T | null> {
  const limit = systemClock.monotonic() + waitMs;
  for (;;) {
    const job: StateJob = await port.job(id);
    if (job.status === "done") return job.result as T;
    if (job.status === "failed") throw new Error(job.error?.message ?? "the daemon could not do it");
    if (systemClock.monotonic() >= limit) return null;
    await systemClock.sleep(POLL_MS);
  }
}

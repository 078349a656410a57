import { hasRollout, rolloutIn } from "../../execenv/index.ts";
import { type Clock, realPathIfExists } from "../../platform/index.ts";
import { type TaskRun, journal } from "./run.ts";
import type { Outcome } from "./settle.ts";

const POLL_MS = 50;
const RESULT_WAIT_MS = 2000;

export interface SessionPin {
  /** The agent named its session; only the first call counts. */
  announce(sessionId: string): void;
  /** Ends the waiting and resolves when a pin under way has been sent. */
  finish(): Promise<void>;
}

/**
 * Tells the server the session as early as possible, so that a crash keeps it (daemon.md 11.11). Codex names a session
 * before its file exists, and one without file can never be resumed: there the pin waits for the file.
 */
export function startSessionPin(options: { readonly run: TaskRun; readonly codexHome: string | undefined }): SessionPin {
  const { run, codexHome } = options;
  const over = new AbortController();
  let sent: Promise<void> | null = null;
  const pin = async (sessionId: string): Promise<void> => {
    while (codexHome !== undefined && !hasRollout(codexHome, sessionId)) {
      if (over.signal.aborted) return;
      await run.ctx.clock.sleep(POLL_MS, over.signal).catch(() => undefined);
    }
    run.known.sessionId = sessionId;
    journal(run, "session", (state) => state.updateTask(run.task.id, { session_id: sessionId }));
    noteRollout(run, codexHome, sessionId);
    await run.sink.session(run.task.id, { session_id: sessionId, work_dir: run.known.workDir });
  };
  return {
    announce(sessionId) {
      sent ??= pin(sessionId);
    },
    async finish() {
      over.abort();
      await sent;
    },
  };
}

function noteRollout(run: TaskRun, codexHome: string | undefined, id: string): void {
  const path = codexHome === undefined ? null : rolloutIn(codexHome, id);
  const rolloutPath = path === null ? undefined : realPathIfExists(path);
  if (rolloutPath !== undefined) journal(run, "session", (state) => state.describeSession({ provider: run.job.provider, id }, { rolloutPath }));
}

interface Ended extends Pick<TaskRun, "ctx" | "logger"> {
  readonly known: Pick<TaskRun["known"], "sessionId" | "retiredSessionId">;
  readonly job: Pick<TaskRun["job"], "provider">;
  readonly task: Pick<TaskRun["task"], "prior_session_id">;
}

/** Writes down which sessions turned out to lead nowhere: one that was given up, and one whose history the model refuses. */
export function noteEndOfSessions(run: Ended, outcome: Outcome): void {
  const { known, job, task } = run;
  const oversized = outcome.kind === "failed" && outcome.retirePriorSession === true;
  const refused = outcome.kind === "failed" && outcome.reason === "api_invalid_request";
  const retired = known.retiredSessionId;
  const used = known.sessionId === "" ? (task.prior_session_id ?? "") : known.sessionId;
  journal(run, "session", (state) => {
    if (retired !== "") state.describeSession({ provider: job.provider, id: retired }, { retired: "resume_failed", poisoned: oversized });
    if (refused && used !== "") state.describeSession({ provider: job.provider, id: used }, { poisoned: true });
  });
}

/**
 * True when the session a result names can be resumed later: for Codex its file must be there, at most 2 s later
 * (daemon.md 11.14).
 */
export async function sessionExists(clock: Clock, codexHome: string | undefined, sessionId: string): Promise<boolean> {
  if (codexHome === undefined) return true;
  const limit = clock.monotonic() + RESULT_WAIT_MS;
  while (!hasRollout(codexHome, sessionId)) {
    if (clock.monotonic() >= limit) return false;
    await clock.sleep(POLL_MS);
  }
  return true;
}

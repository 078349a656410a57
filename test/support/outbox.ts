import { onTestFinished } from "vitest";
import { createDaemonApi } from "../../src/lib/api/daemon-api.ts";
import { createHttp } from "../../src/lib/api/ky-http.ts";
import { Outbox } from "../../src/lib/daemon/outbox/outbox.ts";
import type { Quota } from "../../src/lib/daemon/outbox/quota.ts";
import { createOutboxSink } from "../../src/lib/daemon/outbox/sink.ts";
import type { ReportSink } from "../../src/lib/daemon/task/sink.ts";
import { HeldClock, currentPid, processIdentity } from "../../src/lib/platform/index.ts";
import { type Logger, silentLogger } from "../../src/lib/platform/logger.ts";
import type { StateHandle } from "../../src/lib/state/index.ts";
import { openState } from "../../src/lib/state/open.ts";
import type { TaskMessage } from "../../src/lib/wire/index.ts";
import { tempDir } from "./temp.ts";

export interface TestOutbox {
  readonly dir: string;
  readonly clock: HeldClock;
  readonly state: StateHandle;
  readonly outbox: Outbox;
  readonly sink: ReportSink;
  /** A task of this daemon, claimed. */
  task(id: string, runtimeId?: string): string;
  /** Lets the process "die": nothing is flushed, sent or told to the server any more. */
  die(): void;
}

/** A real state file, a real outbox and a held clock, as a daemon has them. */
export async function testOutbox(options: { url: string; dir?: string; clock?: HeldClock; quota?: Quota; started?: boolean; logger?: Logger; journalMode?: "wal" | "delete" }): Promise<TestOutbox> {
  const dir = options.dir ?? tempDir();
  const clock = options.clock ?? new HeldClock();
  const logger = options.logger ?? silentLogger;
  const state = await openState({ stateDir: dir, version: "1.0.0", clock, logger, ...(options.journalMode === undefined ? {} : { journalMode: options.journalMode }) });
  const identity = processIdentity(currentPid());
  if (identity === null) throw new Error("no identity");
  await state.beginRun({ identity, port: 1 });
  state.markLost();
  const api = createDaemonApi(createHttp({ serverUrl: options.url, token: "mul_x", platform: "daemon", clientVersion: "0", os: "linux" }));
  const outbox = new Outbox({ state, api, clock, logger, random: () => 0.5, ...(options.quota === undefined ? {} : { quota: options.quota }) });
  if (options.started ?? true) outbox.start();
  const close = (): void => {
    outbox.stop();
    state.close();
  };
  onTestFinished(close);
  return {
    dir,
    clock,
    state,
    outbox,
    sink: createOutboxSink(outbox, { api, clock, logger }),
    task: (id, runtimeId = "r") => {
      state.insertTask({ task_id: id, workspace_id: "w", runtime_id: runtimeId, agent_id: "a", provider: "codex", phase: "running" });
      return id;
    },
    die: close,
  };
}

/** Text messages numbered from `from`. */
export function texts(from: number, count: number, text = "hello"): TaskMessage[] {
  return Array.from({ length: count }, (_, index) => ({ seq: from + index, type: "text", content: `${text} ${from + index}` }));
}

/** Moves the clock in steps until the condition holds; real requests get their time in between. */
export async function advanceUntil(clock: HeldClock, what: string, condition: () => boolean, options: { stepMs?: number; limitMs?: number } = {}): Promise<number> {
  const begin = clock.monotonic();
  const end = begin + (options.limitMs ?? 3_600_000);
  for (;;) {
    for (let round = 0; round < 5; round += 1) {
      if (condition()) return clock.monotonic() - begin;
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    if (clock.monotonic() > end) throw new Error(`not within ${end - begin} ms of held time: ${what}`);
    await clock.advance(options.stepMs ?? 500);
  }
}

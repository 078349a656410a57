// Messages on their way: batches as the drain makes them, written to the state file, sent over a socket to the embedded
// server and stored there. Everything runs in this one process, so the figure is the sum of both sides.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createDaemonApi } from "../src/lib/api/daemon-api.ts";
import { createHttp } from "../src/lib/api/ky-http.ts";
import { createUserApi } from "../src/lib/api/user-api.ts";
import { Outbox } from "../src/lib/daemon/outbox/outbox.ts";
import { createOutboxSink } from "../src/lib/daemon/outbox/sink.ts";
import { startBatcher } from "../src/lib/daemon/task/batcher.ts";
import { Transcript } from "../src/lib/daemon/task/transcript.ts";
import { currentPid, processIdentity, systemClock } from "../src/lib/platform/index.ts";
import { silentLogger } from "../src/lib/platform/logger.ts";
import { mintToken, startServer } from "../src/lib/server/index.ts";
import { openState } from "../src/lib/state/open.ts";
import { type Figure, figure } from "./figures.ts";

const TASKS = 4;
const MESSAGES = 15_000;
const WANTED_PER_SECOND = 20_000;

/** Messages per second through drain → outbox → server; the budget is a lower bound, given as microseconds a message. */
export async function outboxFigures(): Promise<Figure[]> {
  const home = mkdtempSync(join(tmpdir(), "multica-bench-"));
  const clock = systemClock;
  const logger = silentLogger;
  const server = await startServer({ dataDir: join(home, "server"), host: "127.0.0.1", port: 0, clock, logger });
  try {
    const { token } = await mintToken({ dataDir: join(home, "server"), name: "bench", clock });
    const taskIds = await startTasks(server.url, token);
    const state = await openState({ stateDir: join(home, "state"), version: "0.0.0", clock, logger });
    const identity = processIdentity(currentPid());
    if (identity === null) throw new Error("no identity");
    await state.beginRun({ identity, port: 1 });
    const api = createDaemonApi(createHttp({ serverUrl: server.url, token, platform: "daemon", clientVersion: "0.4.24", os: "linux" }));
    const outbox = new Outbox({ state, api, clock, logger });
    outbox.start();
    const sink = createOutboxSink(outbox, { api, clock, logger });
    const begin = clock.monotonic();
    const before = process.cpuUsage();
    await Promise.all(taskIds.map(async (taskId) => {
      state.insertTask({ task_id: taskId, workspace_id: "w", runtime_id: "r", agent_id: "a", provider: "acp", phase: "running" });
      const transcript = new Transcript({ secrets: [] });
      const batcher = startBatcher({ clock, taskId, transcript, sink });
      for (let n = 0; n < MESSAGES; n += 1) {
        transcript.add({ kind: "tool_result", callId: "", tool: "shell", output: `line ${n} of a command's output, about as long as such lines are` });
        if (n % 500 === 499) await new Promise((resolve) => setImmediate(resolve));
      }
      await batcher.finish();
    }));
    const written = clock.monotonic() - begin;
    while (outbox.lanes.size > 0) await clock.sleep(5);
    const took = clock.monotonic() - begin;
    const cpu = process.cpuUsage(before);
    let stored = 0;
    for (const id of taskIds) stored += (await api.readMessages(id, 0)).length;
    if (stored !== TASKS * MESSAGES) throw new Error(`${stored} of ${TASKS * MESSAGES} messages were stored`);
    outbox.stop();
    state.close();
    const perSecond = Math.round((stored / took) * 1000);
    const detail = { per_second: perSecond, wanted_per_second: WANTED_PER_SECOND, messages: stored, written_ms: Math.round(written), delivered_ms: Math.round(took), cpu_ms: Math.round((cpu.user + cpu.system) / 1000) };
    return [figure("messages through drain, outbox and server", (took * 1000) / stored, "µs/message", { budget: 1e6 / WANTED_PER_SECOND, detail })];
  } finally {
    await server.stop();
    rmSync(home, { recursive: true, force: true });
  }
}

async function startTasks(serverUrl: string, token: string): Promise<string[]> {
  const http = { serverUrl, token, platform: "cli" as const, clientVersion: "0.4.24", os: "linux" };
  const workspaceId = (await createUserApi(createHttp(http)).workspaces())[0]?.id ?? "";
  const user = createUserApi(createHttp({ ...http, workspaceId }));
  const daemon = createDaemonApi(createHttp({ ...http, platform: "daemon" }));
  const answer = await daemon.register({ workspace_id: workspaceId, daemon_id: "bench", device_name: "bench", cli_version: "0.4.24", runtimes: [{ name: "acp", type: "codex", version: "1", status: "online" }] });
  const runtimeId = answer.runtimes[0]?.id ?? "";
  const agent = await user.createAgent({ name: "Bench", runtime_id: runtimeId, visibility: "workspace", max_concurrent_tasks: 50 });
  for (let n = 0; n < TASKS; n += 1) await user.createIssue({ title: `Bench ${n}`, assignee_type: "agent", assignee_id: agent.id });
  const tasks = await daemon.claimBatch({ daemon_id: "bench", runtime_ids: [runtimeId], max_tasks: TASKS });
  for (const task of tasks) await daemon.start(task.id);
  return tasks.map((task) => task.id);
}

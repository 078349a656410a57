import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import type { UserApi } from "../../../src/lib/api/index.ts";
import { createHttp } from "../../../src/lib/api/ky-http.ts";
import { createUserApi } from "../../../src/lib/api/user-api.ts";
import { isTransient } from "../../../src/lib/api/index.ts";
import { MulticaError } from "../../../src/lib/core/index.ts";
import { runTask } from "../../../src/lib/daemon/task/handle.ts";
import { findByEnv, systemClock } from "../../../src/lib/platform/index.ts";
import { silentLogger } from "../../../src/lib/platform/logger.ts";
import { mintToken, startServer } from "../../../src/lib/server/index.ts";
import { openStateReader } from "../../../src/lib/state/open.ts";
import { seeded } from "../../support/seeded.ts";
import { configFor, type RunningDaemon, testDaemon, testHome } from "../../support/daemon.ts";
import { FAULTS, type FaultyProxy, faultyProxy } from "../../support/faulty-proxy.ts";
import { jumpingClock } from "../../support/jumping-clock.ts";
import { tempDir } from "../../support/temp.ts";
import { waitFor } from "../../support/wait.ts";

const LIMITS = { socketBackoffBase: 30, socketBackoffMax: 200, batchClaimTimeout: 600, rpcGrace: 200, uncertainWindow: 300, heartbeatTimeout: 600, goneAttemptWindow: 200, goneFailurePause: 300, syncDedicated: 300, syncMax: 300, slotWait: 50, capacityBackoffMax: 100 };
const HOUR = 3_600_000;

interface Place {
  readonly api: UserApi;
  readonly workspaceId: string;
  readonly token: string;
  readonly proxy: FaultyProxy;
}

/** An embedded server, and a network in front of it that is well until its share of faults is set. */
async function place(seed: number, thresholds: { prepareLeaseMs: number; redeliverAfterMs: number }): Promise<Place> {
  const dataDir = join(tempDir(), "server");
  const server = await startServer({ dataDir, host: "127.0.0.1", port: 0, clock: systemClock, logger: silentLogger, thresholds });
  onTestFinished(() => server.stop());
  const { token } = await mintToken({ dataDir, name: "test", clock: systemClock });
  const base = { serverUrl: server.url, token, platform: "cli" as const, clientVersion: "0.4.24", os: "linux" };
  const workspaceId = (await createUserApi(createHttp(base)).workspaces())[0]?.id ?? "";
  const api = createUserApi(createHttp({ ...base, workspaceId }));
  return { api, workspaceId, token, proxy: await faultyProxy(() => Number(new URL(server.url).port), seeded(seed)) };
}

/** Issues for an agent of the one runtime there is; answers its id too. */
async function issuesFor(api: UserApi, count: number): Promise<{ runtimeId: string; issues: string[] }> {
  const [runtime] = await api.runtimes();
  const agent = await api.createAgent({ name: "Dev", runtime_id: runtime?.id ?? "", visibility: "workspace", max_concurrent_tasks: 6 });
  const issues: string[] = [];
  for (let each = 0; each < count; each += 1) issues.push((await api.createIssue({ title: `t${each}`, assignee_type: "agent", assignee_id: agent.id })).id);
  return { runtimeId: runtime?.id ?? "", issues };
}

/** The link is up, the one runtime is the one there was, and nothing runs. */
async function expectWell(daemon: RunningDaemon, api: UserApi, runtimeId: string): Promise<void> {
  await waitFor("a healthy link", async () => {
    const health = await daemon.health();
    return health.link?.connected === true && health.workspaces?.[0]?.runtimes.length === 1 && health.active_task_count === 0;
  }, 20_000);
  const rows = await api.runtimes();
  expect(rows.map(({ id, status }) => [id, status])).toEqual([[runtimeId, "online"]]);
}

/** Calls until the server says something for good. */
async function insist<T>(call: () => Promise<T>): Promise<T | null> {
  for (;;) {
    try {
      return await call();
    } catch (error) {
      // Only what a network does is tried again: a mistake of this test must not go round for ever.
      if (!(error instanceof MulticaError) || !isTransient(error)) return null;
      await systemClock.sleep(10);
    }
  }
}

describe("a daemon behind a network that drops, delays, repeats, refuses, freezes and mixes up", () => {
  it.each([1])("runs every task once, loses no runtime, and is well when the network is (seed %i)", async (seed) => {
    const { api, token, proxy } = await place(seed, { prepareLeaseMs: 1000, redeliverAfterMs: 1500 });
    const home = testHome();
    const worked: string[] = [];
    const config = configFor(home, { url: proxy.url, token }, "", { pollIntervalMs: 150, heartbeatIntervalMs: 100, maxConcurrentTasks: 3 });
    const daemon = await testDaemon(home, config, {
      limits: LIMITS,
      runTask: async (ctx, task) => {
        // A start that arrived and whose answer did not is refused the second time: the task is ours all the same.
        await insist(() => ctx.api.start(task.id, { timeoutMs: 500 }));
        const status = await insist(() => ctx.api.status(task.id, { timeoutMs: 500 }));
        if (status !== "running" || worked.includes(task.id)) return;
        worked.push(task.id);
        await insist(() => ctx.api.complete(task.id, { output: "done" }, { timeoutMs: 500 }));
      },
    });
    proxy.share = 0.3;
    const { runtimeId, issues } = await issuesFor(api, 10);
    await waitFor("all tasks", () => worked.length === issues.length, 60_000);
    proxy.share = 0;
    await expectWell(daemon, api, runtimeId);
    expect(new Set(worked).size).toBe(issues.length);
    // The run must have met what it is about.
    expect(Object.keys(proxy.met)).toEqual(expect.arrayContaining([...FAULTS]));
  }, 120_000);

  it.each([2])("delivers every word in order and every result once, though the wall clock jumps an hour ahead and back while agents work (seed %i)", async (seed) => {
    const { api, workspaceId, token, proxy } = await place(seed, { prepareLeaseMs: 3000, redeliverAfterMs: 3000 });
    const home = testHome({});
    const log = join(home.home, "turns");
    const agent = resolve(import.meta.dirname, "../../fixtures/agents-bin/acp-paced.mjs");
    writeFileSync(log, "");
    writeFileSync(join(home.bin, "paced"), `#!/bin/sh\nexec '${process.execPath}' '${agent}' '${log}' "$@"\n`);
    chmodSync(join(home.bin, "paced"), 0o755);
    await api.createProfile(workspaceId, { display_name: "Paced", protocol_family: "acp", command_name: "paced", enabled: true });
    const clock = jumpingClock();
    const config = configFor(home, { url: proxy.url, token }, "", { pollIntervalMs: 150, heartbeatIntervalMs: 100, maxConcurrentTasks: 3, workspacesRoot: join(home.home, "workspaces") });
    const daemon = await testDaemon(home, config, { limits: { ...LIMITS, sleepLook: 200 }, clock, runTask, noState: false });
    proxy.share = 0.15;
    const { runtimeId, issues } = await issuesFor(api, 6);
    const turns = (): string[] => readFileSync(log, "utf8").split("\n").filter((line) => line !== "");
    for (const [begun, jump] of [[1, HOUR], [3, -2 * HOUR], [5, HOUR]] as const) {
      await waitFor(`turn ${begun} to begin`, () => turns().length >= begun, 30_000);
      clock.jump(jump);
    }
    const completed = async (): Promise<string[]> => (await Promise.all(issues.map((id) => api.taskRuns(id)))).flatMap((runs) => runs.filter(({ status }) => status === "completed").map(({ id }) => id));
    await waitFor("all turns", () => turns().length >= issues.length, 30_000);
    proxy.share = 0;
    await waitFor("all results", async () => (await completed()).length >= issues.length, 60_000);
    await expectWell(daemon, api, runtimeId);
    const done = await completed();
    expect(turns().sort()).toEqual(done.sort());
    for (const id of done) {
      const messages = await api.taskMessages(id);
      expect(messages.map(({ seq }) => seq)).toEqual(messages.map((_, at) => at + 1));
      expect(messages.filter(({ type }) => type === "text").map(({ content }) => content).join("")).toBe(Array.from({ length: 20 }, (_, at) => `line ${at + 1}\n`).join(""));
      expect(messages.filter(({ type }) => type === "tool_use")).toHaveLength(10);
      expect(findByEnv("MULTICA_TASK_ID", id)).toEqual([]);
    }
    const reader = openStateReader({ stateDir: config.stateDir });
    expect(reader?.outboxSummary()).toMatchObject({ queued: 0, inflight: 0, ambiguous: 0, dead: 0 });
    reader?.close();
  }, 120_000);
});

import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { createHttp } from "../../../src/lib/api/ky-http.ts";
import { createUserApi } from "../../../src/lib/api/user-api.ts";
import { isTransient } from "../../../src/lib/api/index.ts";
import { MulticaError } from "../../../src/lib/core/index.ts";
import { systemClock } from "../../../src/lib/platform/index.ts";
import { silentLogger } from "../../../src/lib/platform/logger.ts";
import { mintToken, startServer } from "../../../src/lib/server/index.ts";
import { seeded } from "../../support/chaos/run.ts";
import { configFor, testDaemon, testHome } from "../../support/daemon.ts";
import { faultyProxy } from "../../support/faulty-proxy.ts";
import { tempDir } from "../../support/temp.ts";
import { waitFor } from "../../support/wait.ts";

const LIMITS = { socketBackoffBase: 30, socketBackoffMax: 200, batchClaimTimeout: 600, rpcGrace: 200, uncertainWindow: 300, heartbeatTimeout: 600, goneAttemptWindow: 200, goneFailurePause: 300, syncDedicated: 300, syncMax: 300, slotWait: 50, capacityBackoffMax: 100 };
const TASKS = 10;

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

describe("a daemon behind a network that drops, delays, repeats, refuses and freezes", () => {
  it.each([1])("runs every task once, loses no runtime, and is well when the network is (seed %i)", async (seed) => {
    const dataDir = join(tempDir(), "server");
    const thresholds = { prepareLeaseMs: 1000, redeliverAfterMs: 1500 };
    const server = await startServer({ dataDir, host: "127.0.0.1", port: 0, clock: systemClock, logger: silentLogger, thresholds });
    onTestFinished(() => server.stop());
    const { token } = await mintToken({ dataDir, name: "test", clock: systemClock });
    const base = { serverUrl: server.url, token, platform: "cli" as const, clientVersion: "0.4.24", os: "linux" };
    const workspaceId = (await createUserApi(createHttp(base)).workspaces())[0]?.id ?? "";
    const api = createUserApi(createHttp({ ...base, workspaceId }));
    const proxy = await faultyProxy(() => Number(new URL(server.url).port), seeded(seed));
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
    const [runtime] = await api.runtimes();
    const agent = await api.createAgent({ name: "Dev", runtime_id: runtime?.id ?? "", visibility: "workspace", max_concurrent_tasks: 6 });
    proxy.share = 0.3;
    const issues: string[] = [];
    for (let each = 0; each < TASKS; each += 1) issues.push((await api.createIssue({ title: `t${each}`, assignee_type: "agent", assignee_id: agent.id })).id);
    await waitFor("all tasks", () => worked.length === TASKS, 60_000);
    proxy.share = 0;
    await waitFor("a healthy link", async () => {
      const health = await daemon.health();
      return health.link?.connected === true && health.workspaces?.[0]?.runtimes.length === 1 && health.active_task_count === 0;
    }, 20_000);
    expect(new Set(worked).size).toBe(TASKS);
    const rows = await api.runtimes();
    expect(rows.map(({ id, status }) => [id, status])).toEqual([[runtime?.id, "online"]]);
    // The seed must have met what the test is about.
    expect(Object.keys(proxy.met).length).toBeGreaterThanOrEqual(4);
  }, 120_000);
});

import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isTerminalState } from "../src/lib/wire/index.ts";
import { ProductHome } from "../test/support/product-home.ts";
import { waitFor } from "../test/support/wait.ts";
import { type Figure, figure, quantile } from "./figures.ts";
import { cpuTicks, residentMb } from "./processes.ts";

const SLOTS = 20;
const TASKS = 60;
const LIMIT_MS = 180_000;
const MS_PER_TICK = 10;

/** Says one word and is done, or waits to be ended: as little of an agent as there can be, so that the daemon is measured. */
const AGENT = `
import { createInterface } from "node:readline";
const send = (frame) => process.stdout.write(JSON.stringify({ jsonrpc: "2.0", ...frame }) + "\\n");
let prompt;
createInterface({ input: process.stdin }).on("line", (line) => {
  const { id, method, params } = JSON.parse(line);
  if (method === "initialize") send({ id, result: { protocolVersion: 1, agentCapabilities: {} } });
  if (method === "session/new") send({ id, result: { sessionId: "s" } });
  if (method === "session/prompt") {
    prompt = id;
    send({ method: "session/update", params: { sessionId: "s", update: { sessionUpdate: "agent_message_chunk", content: { type: "text", text: "done" } } } });
    if (!process.env.BENCH_HOLD) send({ id, result: { stopReason: "end_turn" } });
  }
  if (method === "session/cancel") send({ id: prompt, result: { stopReason: "cancelled" } });
}).on("close", () => process.exit(0));
`;

/** Figures of the pipeline under load: trivial tasks through 20 slots, and the daemon's memory while 20 tasks run. */
export async function taskFigures(): Promise<Figure[]> {
  const home = mkdtempSync(join(tmpdir(), "multica-bench-"));
  const product = new ProductHome({ home });
  try {
    await product.setUp();
    const runtime = await product.exampleRuntime();
    writeFileSync(join(home, "agent.mjs"), AGENT);
    const launcher = product.exampleAgentLauncher();
    writeFileSync(launcher, `#!/bin/sh\nexec '${process.execPath}' '${join(home, "agent.mjs")}'\n`);
    chmodSync(launcher, 0o755);
    // The daemon is fresh for the first, and warm for the second.
    return [await memory(product, runtime.id), await throughput(product, runtime.id)];
  } finally {
    await product.tearDown();
    rmSync(home, { recursive: true, force: true });
  }
}

async function throughput(product: ProductHome, runtimeId: string): Promise<Figure> {
  const api = product.api();
  const agent = await api.createAgent({ name: "Quick", runtime_id: runtimeId, visibility: "workspace", max_concurrent_tasks: SLOTS });
  const { pid } = product.daemonInfo();
  const ticks = cpuTicks(pid);
  const start = performance.now();
  const issues = await Promise.all(
    Array.from({ length: TASKS }, (_, at) => api.createIssue({ title: `Task ${at}`, assignee_type: "agent", assignee_id: agent.id })),
  );
  const created = performance.now();
  const tasks = await waitFor("all tasks", async () => {
    const runs = (await Promise.all(issues.map((issue) => api.taskRuns(issue.id)))).flat();
    return runs.length >= TASKS && runs.every((run) => isTerminalState(run.status)) && runs;
  }, LIMIT_MS);
  const seconds = (performance.now() - start) / 1000;
  const completed = tasks.filter((task) => task.status === "completed");
  if (completed.length !== TASKS) throw new Error(`${completed.length} of ${TASKS} tasks completed`);
  const took = completed.map((task) => Date.parse(task.completed_at ?? "") - Date.parse(task.dispatched_at ?? ""));
  return figure("trivial tasks through 20 slots", TASKS / seconds, "tasks / s", {
    detail: { tasks: TASKS, seconds, daemon_cpu_ms_per_task: ((cpuTicks(pid) - ticks) * MS_PER_TICK) / TASKS, creating_s: (created - start) / 1000, claim_to_done_median_ms: quantile(took, 0.5), claim_to_done_p95_ms: quantile(took, 0.95) },
  });
}

async function memory(product: ProductHome, runtimeId: string): Promise<Figure> {
  const api = product.api();
  const { pid } = product.daemonInfo();
  const before = residentMb(pid);
  const agent = await api.createAgent({ name: "Hold", runtime_id: runtimeId, visibility: "workspace", max_concurrent_tasks: SLOTS, custom_env: { BENCH_HOLD: "1" } });
  const issues = await Promise.all(
    Array.from({ length: SLOTS }, (_, at) => api.createIssue({ title: `Hold ${at}`, assignee_type: "agent", assignee_id: agent.id })),
  );
  const runs = await waitFor("20 running tasks", async () => {
    const all = (await Promise.all(issues.map((issue) => api.taskRuns(issue.id)))).flat();
    return all.length === SLOTS && all.every((run) => run.status === "running") && all;
  }, LIMIT_MS);
  await new Promise((resolve) => setTimeout(resolve, 3000));
  const held = residentMb(pid);
  await Promise.all(runs.map((run) => api.cancelTask(run.id)));
  return figure("daemon with 20 running tasks: resident", held, "MB", { budget: 200, detail: { before_mb: before, per_task_mb: (held - before) / SLOTS } });
}

import { chmodSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ProductHome } from "../test/support/product-home.ts";
import { waitFor } from "../test/support/wait.ts";
import { type Figure, figure, quantile } from "./figures.ts";
import { cpuTicks, residentMb } from "./processes.ts";

const RUNS = 20;
// What starting and registering set off must be over before idleness is measured: late compilation, the first sync, and the
// collection of garbage that the engine does once, about twenty seconds after the last work (a tenth of a second of processor).
const SETTLE_MS = 40_000;
const IDLE_MS = 60_000;
const TICKS_PER_SECOND = 100;

/** Figures of a running daemon on the embedded server: idle cost, and how long a wake-up takes to become a process. */
export async function daemonFigures(): Promise<Figure[]> {
  const home = mkdtempSync(join(tmpdir(), "multica-bench-"));
  const product = new ProductHome({ home });
  try {
    await product.setUp();
    const runtime = await product.exampleRuntime();
    const idle = await idleFigures(product);
    return [...idle, await wakeUp(product, runtime.id)];
  } finally {
    await product.tearDown();
    rmSync(home, { recursive: true, force: true });
  }
}

async function idleFigures(product: ProductHome): Promise<Figure[]> {
  const { pid } = product.daemonInfo();
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  const before = cpuTicks(pid);
  const start = performance.now();
  await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
  const seconds = (performance.now() - start) / 1000;
  const share = ((cpuTicks(pid) - before) / TICKS_PER_SECOND / seconds) * 100;
  return [figure("idle daemon: resident", residentMb(pid), "MB", { budget: 120 }), figure("idle daemon: processor", share, "% of a core", { budget: 0.2 })];
}

/**
 * From the moment the server has accepted the issue (it sends the wake-up frame then) to the first instruction of the
 * agent's process, which writes the time itself.
 */
async function wakeUp(product: ProductHome, runtimeId: string): Promise<Figure> {
  const marks = join(product.home, "marks");
  const launcher = product.exampleAgentLauncher();
  const script = readFileSync(launcher, "utf8");
  writeFileSync(launcher, script.replace("#!/bin/sh\n", `#!/bin/sh\n[ -n "$MULTICA_TASK_ID" ] && date +%s%3N > "${marks}.$MULTICA_TASK_ID"\n`));
  chmodSync(launcher, 0o755);
  const api = product.api();
  const agent = await api.createAgent({ name: "Bench", runtime_id: runtimeId, visibility: "workspace" });
  const samples: number[] = [];
  for (let run = 0; run < RUNS; run += 1) {
    const start = Date.now();
    const issue = await api.createIssue({ title: `Run ${run}`, description: "echo: nothing", assignee_type: "agent", assignee_id: agent.id });
    const task = await product.waitForTask(issue, undefined, 60_000);
    const mark = `${marks}.${task.id}`;
    await waitFor("the agent's mark", () => existsSync(mark));
    samples.push(Number(readFileSync(mark, "utf8")) - start);
  }
  const left = readdirSync(product.home).filter((name) => name.startsWith("marks.")).length;
  if (left !== RUNS) throw new Error(`${left} agents left a mark, not ${RUNS}`);
  return figure("wake-up → agent process, p95", quantile(samples, 0.95), "ms", {
    budget: 250,
    detail: { median_ms: quantile(samples, 0.5), max_ms: Math.max(...samples) },
  });
}

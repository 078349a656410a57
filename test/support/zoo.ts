import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import type { DaemonConfig } from "../../src/lib/config/index.ts";
import { runTask } from "../../src/lib/daemon/task/handle.ts";
import { type ProcessIdentity, findByEnv, identityAlive, processIdentity, sendSignal } from "../../src/lib/platform/index.ts";
import { CHILDREN } from "../fixtures/agents-bin/zoo.mjs";
import { execWorld } from "./exec.ts";
import { type TaskDaemon, taskDaemon } from "./task-daemon.ts";
import type { Route } from "./task-server.ts";
import { tempDir } from "./temp.ts";
import { waitFor } from "./wait.ts";

export const ZOO_CHILDREN: readonly string[] = Object.keys(CHILDREN);
export const ZOO_ENDS = ["success", "failure", "cancel", "timeout", "watchdog", "daemon stop"] as const;
type ZooEnd = (typeof ZOO_ENDS)[number];

export interface ZooCase {
  readonly child: string;
  readonly end: ZooEnd;
  /** Under an exec host instead of as a child of the daemon. */
  readonly hosted?: boolean;
}

/** Every child with every end. */
export function wholeZoo(): ZooCase[] {
  return ZOO_CHILDREN.flatMap((child) => ZOO_ENDS.map((end) => ({ child, end })));
}

/** Every child once and every end twice. */
export function zooDiagonal(): ZooCase[] {
  return ZOO_CHILDREN.map((child, at) => ({ child, end: ZOO_ENDS[at % ZOO_ENDS.length] ?? "success" }));
}

/** What the daemon tells the server of each end. */
const TOLD: Readonly<Record<ZooEnd, { readonly route: Route; readonly reason?: string }>> = {
  success: { route: "complete" },
  failure: { route: "fail", reason: "agent_error.process_failure" },
  cancel: { route: "cancel-ack" },
  timeout: { route: "fail", reason: "timeout" },
  watchdog: { route: "fail", reason: "idle_watchdog" },
  "daemon stop": { route: "fail", reason: "runtime_recovery" },
};

/** Long enough for an agent and its child to be up on a busy machine. */
const LIMIT_MS = 5000;
const REPORT_MS = 6000;

export interface ZooResult extends ZooCase {
  /** From the agent's final frame until the server was told. */
  readonly reportedMs: number;
  /** From then until the slot was free. */
  readonly freedMs: number;
}

/**
 * Runs the cases, so many at a time, and gives what each took; a case that does not hold throws, naming it. One that was
 * only late is given the machine for itself once: beside others the delay may be theirs.
 */
export async function runZoo(cases: readonly ZooCase[], atOnce: number): Promise<ZooResult[]> {
  const queue = [...cases];
  const results: ZooResult[] = [];
  const failures: unknown[] = [];
  const keeper = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      try {
        results.push(await runCase(next));
      } catch (error) {
        failures.push(new Error(`a child that ${next.child}, at ${next.end}: ${error instanceof Error ? error.message : String(error)}`, { cause: error }));
      }
    }
  };
  await Promise.all(Array.from({ length: atOnce }, keeper));
  for (const late of results.filter((result) => result.reportedMs > REPORT_MS)) {
    const alone = await runCase(late);
    results.splice(results.indexOf(late), 1, alone);
    if (alone.reportedMs > REPORT_MS) failures.push(new Error(`a child that ${late.child}, at ${late.end}: reported after ${alone.reportedMs} ms`));
  }
  if (failures.length > 0) throw new AggregateError(failures, failures.map((failure) => (failure as Error).message).join("\n"));
  return results;
}

async function runCase({ child, end, hosted = false }: ZooCase): Promise<ZooResult> {
  const dir = tempDir("multica-zoo-");
  const config: Partial<DaemonConfig> = {
    ...(end === "timeout" ? { agentTimeoutMs: LIMIT_MS } : {}),
    ...(end === "watchdog" ? { idleWatchdogMs: LIMIT_MS } : {}),
  };
  const daemon = await taskDaemon({
    agent: "acp-zoo",
    config: { ...config, agentTransport: hosted ? "host" : "child" },
    ...(hosted ? { outbox: true, exec: execWorld().service } : {}),
  });
  const files = { ZOO_READY: join(dir, "ready"), ZOO_FINAL: join(dir, "final") };
  const task = daemon.task({ agent: { id: "a", name: "Dev", custom_env: { ...files, ZOO_CHILD: child, ZOO_END: end } } });
  const neighbours = startNeighbours(task.id);
  const told = TOLD[end];
  let reportedAt = 0;
  daemon.server.script = (route) => {
    if (route === told.route) reportedAt = Date.now();
    return undefined;
  };
  try {
    const slot = daemon.ctx.slots.tryTake();
    if (slot === null) throw new Error("no slot");
    const done = runTask(daemon.ctx, task, slot).finally(() => daemon.ctx.slots.release(slot));
    await waitFor("the child at its work", () => existsSync(files.ZOO_READY), 20_000);
    await endIt(daemon, end);
    await done;
    const freedAt = Date.now();
    await waitFor("the server to be told", () => reportedAt > 0);
    if (told.reason !== undefined) expect(daemon.server.bodies("fail")[0]?.["failure_reason"]).toBe(told.reason);
    expect(findByEnv("MULTICA_TASK_ID", task.id), "survivors").toEqual([]);
    expect(neighbours.every(identityAlive), "neighbours live").toBe(true);
    expect(daemon.ctx.slots.freeCount).toBe(daemon.ctx.slots.count);
    const finalAt = Number(readFileSync(files.ZOO_FINAL, "utf8"));
    return { child, end, hosted, reportedMs: reportedAt - finalAt, freedMs: freedAt - reportedAt };
  } finally {
    for (const neighbour of neighbours) sendSignal(neighbour.pid, "SIGKILL");
  }
}

async function endIt(daemon: TaskDaemon, end: ZooEnd): Promise<void> {
  if (end !== "cancel" && end !== "daemon stop") return;
  await waitFor("the agent's word", () => daemon.server.entries().length > 0, 20_000);
  if (end === "daemon stop") daemon.shutdown.abort(new Error("shutdown"));
  else {
    daemon.server.state = "cancelled";
    daemon.ctx.reconcile.broadcast();
  }
}

/** Processes that must not be harmed: one of another task whose id differs in the last digit, and one of no task. */
function startNeighbours(taskId: string): ProcessIdentity[] {
  const other = `${taskId.slice(0, -1)}${taskId.endsWith("0") ? "1" : "0"}`;
  return [{ MULTICA_TASK_ID: other }, {}].map((marker) => {
    const child = spawn("/bin/sh", ["-c", "while :; do sleep 1; done"], { detached: true, stdio: "ignore", env: { PATH: process.env["PATH"], ...marker } });
    child.unref();
    const identity = child.pid === undefined ? null : processIdentity(child.pid);
    if (identity === null) throw new Error("no neighbour");
    return identity;
  });
}

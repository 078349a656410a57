import { randomUUID } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { type ProcessEntry, findByEnv, identityAlive, processIdentity, sendSignal } from "../../src/lib/platform/index.ts";
import type { Issue, TaskMessage, TaskRow } from "../../src/lib/wire/index.ts";
import { openStateReader } from "../../src/lib/state/open.ts";
import type { ProductHome } from "./product-home.ts";
import { waitFor } from "./wait.ts";

export type Interruption = "kill" | "restart";

/** The agent's own process of a running task. */
export function agentPid(product: ProductHome, taskId: string): number {
  const reader = openStateReader({ stateDir: product.stateDir });
  try {
    return reader?.getTask(taskId)?.agent_pid ?? 0;
  } finally {
    reader?.close();
  }
}

/** Ends the daemon in a way and starts it again. */
async function interrupt(product: ProductHome, how: Interruption): Promise<void> {
  if (how === "restart") return void (await product.json(["daemon", "restart"]));
  await killDaemon(product);
  await product.json(["daemon", "start", "--port", "0"]);
}

export async function killDaemon(product: ProductHome): Promise<void> {
  const { pid } = product.daemonInfo();
  sendSignal(pid, "SIGKILL");
  await waitFor("the daemon to be gone", () => processIdentity(pid) === null);
}

/** Interrupts the daemon while an agent is at work; the same process works on. Answers its number. */
export async function interruptAtWork(product: ProductHome, taskId: string, how: Interruption): Promise<number> {
  const pid = await waitFor("the agent's process", () => agentPid(product, taskId) || undefined, 20_000);
  const before = processIdentity(pid);
  if (before === null) throw new Error("the agent has ended already");
  await interrupt(product, how);
  expect(identityAlive(before)).toBe(true);
  expect(agentPid(product, taskId)).toBe(pid);
  return pid;
}

/** What is left of a task: nothing. */
export function leftOf(taskId: string): readonly ProcessEntry[] {
  return findByEnv("MULTICA_TASK_ID", taskId);
}

/** The transcript as the server has it: numbered without a gap, none twice. */
export async function transcriptOf(product: ProductHome, taskId: string): Promise<TaskMessage[]> {
  const messages = await product.api().taskMessages(taskId);
  expect(messages.map((message) => message.seq)).toEqual(messages.map((_, index) => index + 1));
  return messages;
}

/** The one task of an issue, completed at its first attempt. */
export async function completedOnce(product: ProductHome, issue: Issue): Promise<TaskRow> {
  const task = await product.waitForTask(issue);
  const runs = await product.api().taskRuns(issue.id);
  expect(runs.map((run) => run.status), task.error ?? "").toEqual(["completed"]);
  expect(task.attempt ?? 1).toBe(1);
  return task;
}

/** What makes the example agent talk, use tools and pause, step by step; the last step waits for a file. */
export function steps(count: number, pauseMs: number, gate: string): string {
  const talk = Array.from({ length: count }, (_, index) => `echo: messages 3\necho: run echo step-${index + 1}\necho: sleep ${pauseMs}ms`);
  return [...talk, `echo: messages 3\necho: run until [ -e '${gate}' ]; do sleep 0.05; done; echo step-${count + 1}`].join("\n");
}

/** Every step's words and tool result are in the transcript once, in order. */
export function expectSteps(messages: readonly TaskMessage[], count: number): void {
  const results = messages.flatMap((message) => (message.type === "tool_result" && (message.output ?? "").startsWith("step-") ? [message.output] : []));
  expect(results).toEqual(Array.from({ length: count }, (_, index) => `step-${index + 1}`));
  const words = messages.filter((message) => message.type === "text").map((message) => message.content).join("");
  expect(words.match(/message \d/g)).toEqual(Array.from({ length: count }, () => ["message 1", "message 2", "message 3"]).flat());
}

/**
 * Judged: the daemon is interrupted while the example agent works, several times; the same process works on, the transcript
 * has everything once, and the task is completed once.
 */
export async function interruptExampleAgent(product: ProductHome, agentId: string, interruptions: readonly Interruption[]): Promise<void> {
  const api = product.api();
  const count = 3 + 5 * interruptions.length;
  const gate = join(product.home, `gate-${randomUUID()}`);
  const issue = await api.createIssue({ title: `Outlive the daemon ${randomUUID()}`, description: steps(count, 150, gate), assignee_type: "agent", assignee_id: agentId });
  const running = await product.waitForTask(issue, (task) => task.status === "running");
  const pids: number[] = [];
  for (const [index, how] of interruptions.entries()) {
    await waitFor("the agent to get on", async () => (await api.taskMessages(running.id)).filter((message) => message.type === "tool_result").length > index * 2, 30_000);
    pids.push(await interruptAtWork(product, running.id, how));
  }
  expect(new Set(pids).size).toBe(1);
  writeFileSync(gate, "");
  const task = await completedOnce(product, issue);
  expectSteps(await transcriptOf(product, task.id), count + 1);
  await waitFor("the agent's processes to be gone", () => leftOf(task.id).length === 0);
}

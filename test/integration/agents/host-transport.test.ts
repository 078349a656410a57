import { randomUUID } from "node:crypto";
import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type AgentMessage, type AgentRun, type LaunchPlan, type RunOptions, getProvider, hostTransport, planLaunch, startAgentRun } from "../../../src/lib/agents/index.ts";
import { type AgentHost, LogReader, agentThread } from "../../../src/lib/exec/index.ts";
import { currentPid, identityAlive, processIdentity, receiveFileLock, sendSignal, systemClock, tryFileLock } from "../../../src/lib/platform/index.ts";
import { agentHosts } from "../../support/agent-hosts.ts";
import { execWorld, memoryJournal } from "../../support/exec.ts";
import { tempDir } from "../../support/temp.ts";
import { waitFor } from "../../support/wait.ts";

const BIN = join(import.meta.dirname, "..", "..", "fixtures", "agents-bin");
const LIMITS = { cancelWindowMs: 300, graceMs: 600, pipeDelayMs: 400 };
const spec = { ...getProvider("codex"), process: LIMITS };
const ENV = { PATH: process.env["PATH"] ?? "" };

function worldOfHosts() {
  const world = execWorld({ journal: memoryJournal() });
  const hosts = agentHosts(world);
  const taskId = randomUUID();
  const cwd = tempDir();
  const gate = join(cwd, "gate");
  const plan = (fixture: string, options: RunOptions, env: Record<string, string> = {}): LaunchPlan =>
    planLaunch({ spec, executable: process.execPath, prefix: [join(BIN, `${fixture}.mjs`)], options, inheritedEnv: ENV, taskEnv: { MULTICA_TASK_ID: taskId, GATE: gate, ...env } });
  return { world, hosts, taskId, cwd, gate, plan };
}

type World = ReturnType<typeof worldOfHosts>;

/** What the first owner does; it stops listening when `until` says so, as a daemon that dies. */
async function firstOwner({ hosts, taskId, cwd, plan }: World, fixture: string, until: (message: AgentMessage) => boolean, env: Record<string, string> = {}) {
  const options: RunOptions = { cwd, prompt: "Do it." };
  const launch = plan(fixture, options, env);
  const run = await startAgentRun({ spec, plan: launch, options, clock: systemClock, open: (wanted) => hosts.open(wanted, { taskId, cwd, lineMax: spec.lineMax }) });
  const messages: AgentMessage[] = [];
  for await (const message of run.messages) {
    messages.push(message);
    if (until(message)) break;
  }
  return { run, options, plan: launch, messages, place: run.place };
}

/** A later daemon's look at the same hosts. */
async function laterHost({ world }: World): Promise<AgentHost> {
  const later = world.next();
  await later.adopt();
  const [host] = later.agents();
  if (host === undefined) throw new Error("no agent was found");
  return host;
}

function goOn(host: AgentHost, plan: LaunchPlan, options: RunOptions, handedOver: number): Promise<AgentRun> {
  const transport = hostTransport({ host, lineMax: spec.lineMax, clock: systemClock, takeOver: true });
  return startAgentRun({ spec, plan, options, clock: systemClock, takeOver: { transport, elapsedMs: 0, handedOver } });
}

async function all(run: AgentRun): Promise<{ messages: AgentMessage[]; place: AgentRun["place"] }> {
  const messages: AgentMessage[] = [];
  for await (const message of run.messages) messages.push(message);
  return { messages, place: run.place };
}

function text(messages: readonly AgentMessage[]): string {
  return messages.map((message) => (message.kind === "text" ? message.content : "")).join("").replaceAll("\n", "");
}

function told(dir: string): string {
  const reader = new LogReader(dir);
  const events = reader.next(64 << 20);
  reader.close();
  return Buffer.concat(events.flatMap((event) => (event.kind === "stdin" && event.data !== undefined ? [event.data] : []))).toString();
}

const hundred = Array.from({ length: 100 }, (_, index) => `<${index}>`).join("");

describe("an agent under a host, taken over by a later owner", () => {
  it("is understood from its first word on, told nothing twice, and goes on", async () => {
    const world = worldOfHosts();
    const first = await firstOwner(world, "codex-two-halves", (message) => message.kind === "text" && message.content.includes("<49>"));
    first.run.letGo();
    const before = told(world.hosts.hosts[0]?.dir ?? "");
    const host = await laterHost(world);
    expect(host.pid).toBe(first.run.pid);
    const run = await goOn(host, first.plan, first.options, first.place.ordinal);
    writeFileSync(world.gate, "");
    const { messages } = await all(run);
    expect(text(messages)).toBe(hundred);
    expect(await run.result).toMatchObject({ status: "completed", sessionId: "thread-fixture" });
    await run.finished;
    expect(told(host.dir).startsWith(before)).toBe(true);
    expect(told(host.dir).match(/"method":"turn\/start"/g)).toHaveLength(1);
    await host.dismiss();
    expect(existsSync(host.dir)).toBe(false);
  });

  it("joins no text over the place that was handed over", async () => {
    const world = worldOfHosts();
    const first = await firstOwner(world, "codex-two-halves", (message) => message.kind === "text" && message.content.includes("<20>"));
    first.run.letGo();
    const run = await goOn(await laterHost(world), first.plan, first.options, first.place.ordinal);
    writeFileSync(world.gate, "");
    await run.result;
    const before: AgentMessage[] = [];
    const after: AgentMessage[] = [];
    for await (const message of run.messages) (run.place.ordinal <= first.place.ordinal ? before : after).push(message);
    expect(text(before)).toBe(text(first.messages));
    expect(text(before) + text(after)).toBe(hundred);
    await run.finished;
  });

  it("whose turn ended while nobody owned it gives its result from the log", async () => {
    const world = worldOfHosts();
    writeFileSync(world.gate, "");
    const first = await firstOwner(world, "codex-crash", () => true);
    first.run.letGo();
    await waitFor("the agent to end", () => processIdentity(first.run.pid) === null || undefined);
    const host = await laterHost(world);
    await host.ended;
    const run = await goOn(host, first.plan, first.options, 0);
    const { messages } = await all(run);
    expect(text(messages)).toBe("working");
    expect(await run.result).toMatchObject({ status: "failed", exit: { code: 3, signal: null } });
  });

  it.each([["answers", false], ["says nothing more", true]])("that was being cancelled and %s is cancelled", async (_how, silent) => {
    const world = worldOfHosts();
    const controller = new AbortController();
    const options: RunOptions = { cwd: world.cwd, prompt: "Do it." };
    const plan = world.plan("codex-hang", options, { DEAF: "1" });
    const slow = { ...spec, process: { ...LIMITS, cancelWindowMs: 60_000 } };
    const first = await startAgentRun({ spec: slow, plan, options, clock: systemClock, signal: controller.signal, open: (wanted) => world.hosts.open(wanted, { ...world, lineMax: spec.lineMax }) });
    for await (const message of first.messages) if (message.kind === "tool_use") break;
    // A stopped process has heard nothing: the interrupt is the last thing in its log.
    if (silent) expect(sendSignal(first.pid, "SIGSTOP")).toBe(true);
    controller.abort();
    const [own] = world.hosts.hosts;
    await waitFor("the interrupt to be told", () => told(own?.dir ?? "").includes("turn/interrupt"));
    first.letGo();
    const run = await goOn(await laterHost(world), plan, options, 0);
    void all(run);
    expect(await run.result).toMatchObject({ status: "aborted", error: "execution cancelled" });
    await run.finished;
    expect(told(own?.dir ?? "").match(/turn\/interrupt/g)).toHaveLength(1);
  });

  it("is not gone on with by an adapter that would have said something else", async () => {
    const world = worldOfHosts();
    const first = await firstOwner(world, "codex-two-halves", (message) => message.kind === "text");
    first.run.letGo();
    const run = await goOn(await laterHost(world), first.plan, { ...first.options, prompt: "Do something else." }, 0);
    void all(run);
    expect(await run.result).toMatchObject({ status: "failed", error: expect.stringContaining("told something else before") as string });
    await run.finished;
  });
});

describe("the log of an agent under a host", () => {
  it("drops nothing that was not acknowledged: the agent is held back instead, and goes on afterwards", async () => {
    const world = worldOfHosts();
    const lines = 60_000;
    const script = `i=0; while [ $i -lt ${lines} ]; do echo "line $i 0123456789012345678901234567890123456789012345678901234567890123456789"; i=$((i+1)); done`;
    const plan: LaunchPlan = { executable: "/bin/sh", args: ["-c", script], env: ENV, shownArgs: [], dropped: [], overridden: [] };
    const transport = await world.hosts.open(plan, { taskId: world.taskId, cwd: world.cwd, lineMax: 1 << 20, limits: { ringBytes: 1 << 20 } });
    const [host] = world.hosts.hosts;
    const size = (): number => readdirSync(host?.dir ?? "").filter((name) => name.startsWith("seg-")).reduce((sum, name) => sum + readFileSync(join(host?.dir ?? "", name)).length, 0);
    await waitFor("the ring to be full", () => size() > 1 << 20);
    // It stands still: twice the same, a while apart.
    const still = async (): Promise<boolean> => {
      const before = size();
      await systemClock.sleep(150);
      return size() === before;
    };
    await waitFor("the agent to be held back", still);
    expect(size()).toBeLessThan(3 << 20);
    expect(processIdentity(transport.pid)).not.toBeNull();
    let next = 0;
    for await (const { line, position } of transport.lines) {
      expect(line.startsWith(`line ${next} `)).toBe(true);
      next += 1;
      transport.log?.acknowledge(position ?? 0);
    }
    expect(next).toBe(lines);
    expect(await transport.exited).toEqual({ code: 0, signal: null });
    await transport.terminate(0);
  });
});

describe("the host of an agent", () => {
  it("keeps what was sealed in its memory alone, holds the lock, and waits for its owner after the end", async () => {
    const { world, taskId, cwd } = worldOfHosts();
    const path = join(cwd, ".lock");
    writeFileSync(path, "");
    const lock = tryFileLock(path);
    const secret = `secret-${randomUUID()}-${"x".repeat(100_000)}`;
    const host = await world.service.startAgent({
      threadId: agentThread(taskId),
      owner: { kind: "task", taskId },
      argv: ["/bin/sh", "-c", "read line"],
      ...{ cwd, env: ENV, stdin: "pipe" as const, sealed: secret },
      passLock: (identity) => ({ path, token: lock?.passTo(identity) ?? "" }),
    });
    expect(tryFileLock(path)).toBeNull();
    lock?.release();
    expect(tryFileLock(path)).toBeNull();
    for (const name of readdirSync(host.dir)) expect(readFileSync(join(host.dir, name), "latin1")).not.toContain("secret-");

    const hostPid = (JSON.parse(readFileSync(join(host.dir, "meta.json"), "utf8")) as { host_pid: number }).host_pid;
    const identity = processIdentity(hostPid);
    await host.write("in:0", Buffer.from("go\n"));
    await host.ended;
    const later = world.next();
    await later.adopt();
    const [found] = later.agents();
    expect((await found?.sealed()) === secret).toBe(true);
    expect(identity !== null && identityAlive(identity)).toBe(true);
    expect(tryFileLock(path)).toBeNull();

    const self = processIdentity(currentPid());
    const token = self === null ? null : await found?.passLock(self);
    const back = await waitFor("the lock", () => receiveFileLock(path, token ?? "") ?? undefined);
    back.release();
    await found?.dismiss();
    expect(identity !== null && identityAlive(identity)).toBe(false);
    expect(existsSync(host.dir)).toBe(false);
    expect(later.agents()).toEqual([]);
  });

  it("is nobody's business but the task's: not listed, not found, not cleaned", async () => {
    const { world, taskId, cwd } = worldOfHosts();
    const host = await world.service.startAgent({ threadId: agentThread(taskId), owner: { kind: "task", taskId }, argv: ["/bin/sh", "-c", "read line"], cwd, env: ENV, stdin: "pipe" });
    expect(world.service.list()).toEqual([]);
    await expect(world.service.find(agentThread(taskId), "1000")).rejects.toMatchObject({ code: "process_not_found" });
    await world.service.clean({ all: true, includeAttached: true, finished: true });
    await world.service.gc();
    expect(host.over).toBe(false);
    expect(world.service.spared("keep").size).toBe(0);
    await host.terminate(0);
    await host.dismiss();
  });
});

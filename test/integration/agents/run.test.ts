import { createHash, randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import {
  type AgentMessage,
  type AgentRun,
  type AgentRunOptions,
  type AgentResult,
  getProvider,
  type LaunchPlan,
  planLaunch,
  type ProviderSpec,
  type RunOptions,
  startAgentRun,
} from "../../../src/lib/agents/index.ts";
import { findByEnv, groupAlive, sendSignal, systemClock, terminateTree } from "../../../src/lib/platform/index.ts";
import { agentHosts } from "../../support/agent-hosts.ts";
import { tempDir } from "../../support/temp.ts";
import { waitFor } from "../../support/wait.ts";

const BIN = join(import.meta.dirname, "..", "..", "fixtures", "agents-bin");
const LIMITS = { cancelWindowMs: 300, graceMs: 600, pipeDelayMs: 400 };
const SECRET = "value-of-a-secret";

interface Setup {
  readonly env?: Record<string, string>;
  readonly options?: Partial<RunOptions>;
  readonly spec?: Partial<ProviderSpec>;
  readonly run?: Partial<AgentRunOptions>;
}

interface Started {
  readonly run: AgentRun;
  readonly taskId: string;
  readonly log: string[];
}

async function startOver(kind: "child" | "host", fixture: string, setup: Setup): Promise<Started> {
  const taskId = randomUUID();
  const cwd = tempDir();
  const spec: ProviderSpec = { ...getProvider("codex"), process: LIMITS, ...setup.spec };
  const options: RunOptions = { cwd, prompt: "Do it.", ...setup.options };
  const log: string[] = [];
  const write = (text: string, fields?: unknown): void => void log.push(JSON.stringify({ text, fields }));
  const plan = planLaunch({
    spec,
    executable: process.execPath,
    prefix: [join(BIN, `${fixture}.mjs`)],
    customArgs: [`--key=${SECRET}`],
    options,
    inheritedEnv: { PATH: process.env["PATH"] ?? "" },
    taskEnv: { MULTICA_TASK_ID: taskId, SOME_TOKEN: SECRET, ...setup.env },
  });
  const hosts = kind === "host" ? agentHosts() : null;
  const open = hosts === null ? {} : { open: (wanted: LaunchPlan) => hosts.open(wanted, { taskId, cwd, lineMax: spec.lineMax }) };
  const run = await startAgentRun({ spec, plan, options, clock: systemClock, logger: { debug: write, info: write, warn: write, error: write }, ...open, ...setup.run });
  onTestFinished(async () => {
    await terminateTree({ marker: { name: "MULTICA_TASK_ID", value: taskId }, graceMs: 0, clock: systemClock });
  });
  return { run, taskId, log };
}

async function read(run: AgentRun): Promise<AgentMessage[]> {
  const messages: AgentMessage[] = [];
  for await (const message of run.messages) messages.push(message);
  return messages;
}

async function finish({ run, taskId }: Started): Promise<{ result: AgentResult; messages: AgentMessage[] }> {
  const [messages, result] = await Promise.all([read(run), run.result]);
  await run.finished;
  expect(findByEnv("MULTICA_TASK_ID", taskId)).toEqual([]);
  expect(groupAlive(run.pid)).toBe(false);
  return { result, messages };
}

function cancelOnCall(started: Started, controller: AbortController): Promise<number> {
  return (async () => {
    for await (const message of started.run.messages) if (message.kind === "tool_use") break;
    controller.abort();
    return performance.now();
  })();
}

const hash = (text: string): string => createHash("sha256").update(text).digest("hex");

describe.each(["child", "host"] as const)("startAgentRun over a %s", (kind) => {
  const start = (fixture: string, setup: Setup = {}): Promise<Started> => startOver(kind, fixture, setup);

  it("drives an agent to its answer", async () => {
    const { result, messages } = await finish(await start("codex-happy"));
    expect(messages.map((message) => message.kind)).toEqual(["status", "tool_use", "tool_result", "text"]);
    expect(result).toMatchObject({
      status: "completed",
      error: "",
      output: `6 ${hash("Do it.")}`,
      sessionId: "thread-fixture",
      usage: { "fixture-model": { inputTokens: 80, outputTokens: 10, cacheReadTokens: 20, cacheWriteTokens: 0 } },
      exit: { code: 0, signal: null },
    });
  });

  it("passes a prompt of 1 MiB through pipes that are full both ways [G3]", async () => {
    const prompt = "päck my box ".repeat(90_000).slice(0, 1 << 20);
    const { result } = await finish(await start("codex-chatty", { options: { prompt } }));
    expect(result.output).toBe(`${Buffer.byteLength(prompt)} ${hash(prompt)}`);
  });

  it("loses nothing to a reader that comes late [G2]", async () => {
    const started = await start("codex-talker");
    await started.run.result;
    const { messages } = await finish(started);
    const text = messages.map((message) => (message.kind === "text" ? message.content : "")).join("");
    expect(text.match(/<\d+>/g)).toEqual(Array.from({ length: 1000 }, (_, index) => `<${index}>`));
  });

  it("keeps arguments, environment values and the prompt out of the log", async () => {
    const started = await start("codex-crash", { options: { prompt: "a private prompt" } });
    await finish(started);
    expect(started.log.join("\n")).toContain("agent command");
    expect(started.log.join("\n")).not.toMatch(new RegExp(`${SECRET}|private prompt|hunter2`));
  });

  it("fails with the tail of stderr when the agent crashes in its turn [G11]", async () => {
    const { result, messages } = await finish(await start("codex-crash"));
    expect(messages).toContainEqual({ kind: "text", content: "working" });
    expect(result).toMatchObject({ status: "failed", exit: { code: 3, signal: null } });
    expect(result.error).toMatch(/^codex process exited: exit status 3; codex stderr: e+\nlast words api_key=\[REDACTED\]$/);
    expect(Buffer.byteLength(result.error.replace(/^.*?stderr: /s, ""))).toBeLessThanOrEqual(2048);
  });

  it("does not take exit code 0 for success", async () => {
    const { result } = await finish(await start("codex-crash", { env: { EXIT_CODE: "0" } }));
    expect(result).toMatchObject({ status: "failed", exit: { code: 0, signal: null } });
  });

  it("ignores what is no frame [G14]", async () => {
    const { result } = await finish(await start("codex-garbage"));
    expect(result).toMatchObject({ status: "completed", output: "still here" });
  });

  it("reads a line just below the limit and fails on one just above [G5]", async () => {
    const lineMax = 11 << 20;
    const below = await finish(await start("codex-line", { spec: { lineMax }, env: { LINE_BYTES: String(lineMax) } }));
    expect(below.result).toMatchObject({ status: "completed" });
    expect(below.result.output.length).toBeGreaterThan(lineMax - 1000);
    const above = await finish(await start("codex-line", { spec: { lineMax }, env: { LINE_BYTES: String(lineMax + 1) } }));
    expect(above.result).toMatchObject({ status: "failed", error: expect.stringContaining("token too long") as string });
  });

  it("is not held by a grandchild that keeps stdout open, and ends it [G6, CX22]", async () => {
    const before = performance.now();
    const started = await start("codex-grandchild");
    const result = await started.run.result;
    expect(performance.now() - before).toBeLessThan(LIMITS.pipeDelayMs + 2000);
    expect(result).toMatchObject({ status: "completed", output: "left one behind" });
    await finish(started);
  });

  it("refuses to start without executable, workdir or with an argument no system takes [G1]", async () => {
    const spec = getProvider("codex");
    const cwd = tempDir();
    const base: LaunchPlan = { executable: "/nowhere/codex", args: [], env: {}, shownArgs: [], dropped: [], overridden: [] };
    const go = (plan: Partial<LaunchPlan>, dir = cwd): Promise<AgentRun> =>
      startAgentRun({ spec, plan: { ...base, ...plan }, options: { cwd: dir, prompt: "p" }, clock: systemClock });
    await expect(go({})).rejects.toMatchObject({ code: "executable_not_found", message: 'codex executable not found at "/nowhere/codex"' });
    await expect(go({ executable: process.execPath }, join(cwd, "missing"))).rejects.toMatchObject({ code: "workdir_missing" });
    await expect(go({ executable: process.execPath, args: ["x".repeat(128 << 10)] })).rejects.toMatchObject({ code: "argument_too_large" });
    await expect(
      startAgentRun({ spec, plan: { ...base, executable: process.execPath }, options: { cwd, prompt: "p" }, clock: systemClock, signal: AbortSignal.abort() }),
    ).rejects.toMatchObject({ code: "aborted" });
  });
});

describe.each(["child", "host"] as const)("startAgentRun over a %s, cancelled", (kind) => {
  const start = (fixture: string, setup: Setup = {}): Promise<Started> => startOver(kind, fixture, setup);

  it("asks by the protocol first and leaves no process", async () => {
    const controller = new AbortController();
    const started = await start("codex-hang", { run: { signal: controller.signal } });
    const at = await cancelOnCall(started, controller);
    const result = await started.run.result;
    expect(result).toMatchObject({ status: "aborted", error: "execution cancelled", sessionId: "thread-fixture" });
    expect(performance.now() - at).toBeLessThan(LIMITS.graceMs + 2000);
    await finish(started);
  });

  it("kills an agent that ignores the interrupt, the end of its input and SIGTERM [G8]", async () => {
    const controller = new AbortController();
    const started = await start("codex-hang", { run: { signal: controller.signal }, env: { DEAF: "1" } });
    const at = await cancelOnCall(started, controller);
    const result = await started.run.result;
    const took = performance.now() - at;
    expect(result).toMatchObject({ status: "aborted", exit: { code: null, signal: "SIGKILL" } });
    expect(took).toBeGreaterThan(LIMITS.graceMs);
    expect(took).toBeLessThan(LIMITS.graceMs + 2000);
    await finish(started);
  });

  it("releases a prompt that nobody reads [G4]", async () => {
    const controller = new AbortController();
    const started = await start("codex-unread", { run: { signal: controller.signal }, options: { prompt: "x".repeat(1 << 20) } });
    await cancelOnCall(started, controller);
    const { result } = await finish(started);
    expect(result.status).toBe("aborted");
  });

  it("lets an agent that handles SIGTERM end by itself [G7]", async () => {
    const controller = new AbortController();
    const mark = join(tempDir(), "mark");
    const started = await start("codex-hang", { run: { signal: controller.signal }, env: { DEAF: "1", TERM_MARK: mark } });
    await cancelOnCall(started, controller);
    const { result } = await finish(started);
    expect(result).toMatchObject({ status: "aborted", exit: { code: 143, signal: null } });
    expect(existsSync(mark)).toBe(true);
  });

  it("ends children that ignore SIGTERM or fled into a session of their own [G9]", async () => {
    const controller = new AbortController();
    const started = await start("codex-children", { run: { signal: controller.signal } });
    const cancelled = cancelOnCall(started, controller);
    await waitFor("three processes of the task", () => findByEnv("MULTICA_TASK_ID", started.taskId).length >= 3);
    await cancelled;
    expect(await started.run.result).toMatchObject({ status: "aborted" });
    await finish(started);
  });

  it("ends the same children when the agent itself is killed from outside", async () => {
    const started = await start("codex-children");
    await waitFor("three processes of the task", () => findByEnv("MULTICA_TASK_ID", started.taskId).length >= 3);
    sendSignal(started.run.pid, "SIGKILL");
    const { result } = await finish(started);
    expect(result).toMatchObject({ status: "failed", error: expect.stringContaining("signal: SIGKILL") as string });
  });

  it("times out at the deadline [G10]", async () => {
    const { result } = await finish(await start("codex-hang", { run: { deadlineMs: 1500 } }));
    expect(result).toMatchObject({ status: "timeout", error: "codex timed out after 1.5s" });
  });
});

describe.each(["child", "host"] as const)("startAgentRun over a %s, second attempt", (kind) => {
  const start = (fixture: string, setup: Setup = {}): Promise<Started> => startOver(kind, fixture, setup);

  it("starts once more when initialize is never answered and the first process is gone [CX18]", async () => {
    const mark = join(tempDir(), "mark");
    const started = await start("codex-mute", { env: { MUTE_MARK: mark }, options: { timeouts: { handshakeMs: 1500 } } });
    const first = started.run.pid;
    const { result, messages } = await finish(started);
    expect(result.status).toBe("completed");
    expect(started.run.pid).not.toBe(first);
    expect(messages.filter((message) => message.kind === "status")).toHaveLength(1);
  });

  it("tries no third time", async () => {
    const { result } = await finish(await start("codex-hang", { options: { timeouts: { handshakeMs: 1 } } }));
    expect(result).toMatchObject({ status: "failed", error: expect.stringContaining("handshake timeout: initialize did not respond after 1ms") as string });
  });
});

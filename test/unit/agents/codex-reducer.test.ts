import { describe, expect, it } from "vitest";
import { getProvider, type RunOptions } from "../../../src/lib/agents/index.ts";
import { ReducerProbe } from "../../support/replay.ts";

const THREAD = "thread-1";
const TURN = "turn-1";

function start(options: Partial<RunOptions> = {}): ReducerProbe {
  return new ReducerProbe(getProvider("codex").reducer({ cwd: "/w", prompt: "Do it.", ...options }));
}

function answer(probe: ReducerProbe, result: unknown): void {
  probe.out({ id: probe.written.at(-1)?.id, result });
}

function refuse(probe: ReducerProbe, message: string): void {
  probe.out({ id: probe.written.at(-1)?.id, error: { code: -32600, message } });
}

function started(options: Partial<RunOptions> = {}): ReducerProbe {
  const probe = start(options);
  answer(probe, { userAgent: "codex" });
  answer(probe, { thread: { id: THREAD }, model: "m" });
  if (options.threadName !== undefined) answer(probe, {});
  answer(probe, { turn: { id: TURN, status: "inProgress" } });
  return probe;
}

function running(options: Partial<RunOptions> = {}): ReducerProbe {
  const probe = started(options);
  notify(probe, "turn/started", { threadId: THREAD, turn: { id: TURN } });
  return probe;
}

function notify(probe: ReducerProbe, method: string, params: Record<string, unknown>): void {
  probe.out({ method, params });
}

function item(probe: ReducerProbe, moment: "started" | "completed", fields: Record<string, unknown>, threadId = THREAD): void {
  notify(probe, `item/${moment}`, { threadId, turnId: TURN, item: fields });
}

function completed(probe: ReducerProbe, status: string, error: unknown = null, id = TURN): void {
  notify(probe, "turn/completed", { threadId: THREAD, turn: { id, status, error } });
}

const methods = (probe: ReducerProbe): (string | undefined)[] => probe.written.map((frame) => frame.method);

describe("codex handshake", () => {
  it("names a fresh thread before its turn [CX1]", () => {
    const probe = started({ threadName: "  T-1 Fix  " });
    expect(methods(probe)).toEqual(["initialize", "initialized", "thread/start", "thread/name/set", "turn/start"]);
    expect(probe.written[3]?.params).toEqual({ threadId: THREAD, name: "T-1 Fix" });
  });

  it("goes on when the name is refused or not answered [CX1]", () => {
    const refused = start({ threadName: "x" });
    answer(refused, {});
    answer(refused, { thread: { id: THREAD } });
    refuse(refused, "no");
    expect(methods(refused).at(-1)).toBe("turn/start");
    const silent = start({ threadName: "x" });
    answer(silent, {});
    answer(silent, { thread: { id: THREAD } });
    silent.fire("handshake");
    expect(methods(silent).at(-1)).toBe("turn/start");
  });

  it("resumes without a name step and keeps the session [CX2]", () => {
    const probe = start({ resumeSessionId: THREAD, threadName: "x", resumeExpected: true, continuityNotice: "NOTICE" });
    answer(probe, {});
    answer(probe, { thread: { id: THREAD } });
    expect(methods(probe)).toEqual(["initialize", "initialized", "thread/resume", "turn/start"]);
    expect(probe.written.at(-1)?.params).toMatchObject({ input: [{ type: "text", text: "Do it." }] });
  });

  it("starts afresh, with the notice, when the resume is refused or brings no thread [CX3]", () => {
    for (const reply of [(p: ReducerProbe) => refuse(p, "no rollout found"), (p: ReducerProbe) => answer(p, {})]) {
      const probe = start({ resumeSessionId: "old", resumeExpected: true, continuityNotice: "NOTICE" });
      answer(probe, {});
      reply(probe);
      answer(probe, { thread: { id: "new" } });
      expect(methods(probe).slice(2)).toEqual(["thread/resume", "thread/start", "turn/start"]);
      expect(probe.written.at(-1)?.params).toMatchObject({ input: [{ type: "text", text: "NOTICE\n\nDo it." }] });
    }
  });

  it("fails without a new thread when the process dies during the resume [CX4]", () => {
    const probe = start({ resumeSessionId: "old" });
    answer(probe, {});
    probe.feed({ type: "exit", exit: { code: null, signal: "SIGKILL" } });
    expect(methods(probe).at(-1)).toBe("thread/resume");
    expect(probe.terminal).toMatchObject({ status: "failed", withStderr: true, error: "codex thread/resume failed: codex process exited: signal: SIGKILL" });
  });

  it("names the step and the codes when a step fails", () => {
    const init = start();
    refuse(init, "nope");
    expect(init.terminal?.error).toBe("codex initialize failed: initialize: nope (code=-32600)");
    const thread = start();
    answer(thread, {});
    refuse(thread, "failed to load configuration: x:1:1");
    expect(thread.terminal).toMatchObject({ status: "failed", sessionId: "", error: expect.stringContaining("codex thread/start failed: ") as string });
    const noId = start();
    answer(noId, {});
    answer(noId, {});
    expect(noId.terminal?.error).toBe("codex thread/start returned no thread ID");
  });

  it("asks for a second attempt only when initialize is never answered [CX18]", () => {
    const probe = start();
    expect(probe.timers.get("handshake")).toBe(30_000);
    probe.fire("handshake");
    expect(probe.terminal).toMatchObject({
      status: "failed",
      error: "codex initialize failed: codex app-server handshake timeout: initialize did not respond after 30s",
      again: { minDelayMs: 75, maxDelayMs: 125, withoutResume: false },
    });
    const later = start();
    answer(later, {});
    later.fire("handshake");
    expect(later.terminal?.error).toContain("codex thread/start failed: codex app-server handshake timeout");
    expect(later.terminal?.again).toBeUndefined();
  });

  it("passes model, effort and tier on", () => {
    const probe = started({ model: "gpt", thinkingLevel: "high", serviceTier: "priority" });
    expect(probe.written[2]?.params).toMatchObject({ model: "gpt", config: { model_reasoning_effort: "high" }, serviceTier: "priority" });
    expect(probe.written[3]?.params).toMatchObject({ effort: "high", serviceTier: "priority" });
  });
});

describe("codex server requests", () => {
  const cases: [string, unknown, unknown][] = [
    ["item/commandExecution/requestApproval", {}, { decision: "accept" }],
    ["item/fileChange/requestApproval", {}, { decision: "accept" }],
    ["execCommandApproval", {}, { decision: "approved" }],
    ["applyPatchApproval", {}, { decision: "approved" }],
    ["mcpServer/elicitation/request", {}, { action: "accept", content: null, _meta: null }],
    ["item/permissions/requestApproval", { permissions: { network: { enabled: true }, fileSystem: null, magic: 1 } }, { permissions: { network: { enabled: true } }, scope: "turn" }],
    ["item/permissions/requestApproval", "nonsense", { permissions: {}, scope: "turn" }],
  ];

  it.each(cases)("answers %s in its own words [CX5]", (method, params, result) => {
    const probe = running();
    probe.out({ id: 0, method, params });
    expect(probe.written.at(-1)).toEqual({ jsonrpc: "2.0", id: 0, result });
  });

  it("logs the names of permissions it does not know [CX5]", () => {
    const probe = running();
    probe.out({ id: 0, method: "item/permissions/requestApproval", params: { permissions: { magic: "secret" } } });
    expect(probe.effects).toContainEqual({ type: "log", level: "warn", text: "codex asked for unknown permissions", fields: { dropped: ["magic"] } });
  });

  it("refuses what it does not know; the interrupted turn carries that text [CX6]", () => {
    const probe = running();
    probe.out({ id: "a", method: "item/tool/call", params: {} });
    expect(probe.written.at(-1)).toMatchObject({ id: "a", error: { code: -32601, message: "unsupported codex app-server request: item/tool/call" } });
    completed(probe, "interrupted");
    expect(probe.terminal).toMatchObject({ status: "aborted", error: "unsupported codex app-server request: item/tool/call" });
  });
});

describe("codex turn", () => {
  it("reads one dialect per process, the first that speaks [CX7]", () => {
    const probe = started();
    notify(probe, "codex/event/task_started", { msg: { type: "task_started" }, conversationId: THREAD });
    notify(probe, "codex/event/agent_message", { msg: { type: "agent_message", message: "hi" }, conversationId: THREAD });
    item(probe, "completed", { type: "agentMessage", id: "1", text: "hi" });
    notify(probe, "codex/event/task_complete", { msg: { type: "task_complete" }, conversationId: THREAD });
    expect(probe.messages).toEqual([
      { kind: "status", status: "running", sessionId: THREAD },
      { kind: "text", content: "hi" },
    ]);
    expect(probe.terminal?.status).toBe("completed");
  });

  it("finishes once [CX8]", () => {
    const probe = running();
    completed(probe, "completed");
    completed(probe, "completed");
    notify(probe, "thread/status/changed", { threadId: THREAD, status: { type: "idle" } });
    expect(probe.effects.filter((effect) => effect.type === "finish")).toHaveLength(1);
  });

  it("fails with the turn's text, or with a general one [CX9]", () => {
    const told = running();
    completed(told, "failed", { message: "boom" });
    expect(told.terminal).toMatchObject({ status: "failed", error: "boom", sessionId: THREAD });
    const untold = running();
    completed(untold, "failed");
    expect(untold.terminal?.error).toBe("codex turn failed");
  });

  it("lives through a retried error and fails on a last one whose turn never ends [CX10]", () => {
    const retried = running();
    notify(retried, "error", { threadId: THREAD, turnId: TURN, willRetry: true, error: { message: "Reconnecting... 1/1" } });
    item(retried, "completed", { type: "agentMessage", id: "1", text: "ok" });
    completed(retried, "completed");
    expect(retried.terminal).toMatchObject({ status: "completed", output: "ok" });
    const last = running();
    notify(last, "error", { threadId: THREAD, turnId: TURN, willRetry: false, error: { message: "gone" } });
    expect(last.terminal).toBeNull();
    last.fire("settle");
    expect(last.terminal).toMatchObject({ status: "failed", error: "gone" });
  });

  it("ends on idle or a system error when turn/completed never comes", () => {
    const idle = running();
    item(idle, "completed", { type: "agentMessage", id: "1", text: "ok" });
    notify(idle, "thread/status/changed", { threadId: THREAD, status: { type: "idle" } });
    idle.fire("settle");
    expect(idle.terminal).toMatchObject({ status: "completed", output: "ok" });
    const broken = running();
    notify(broken, "thread/status/changed", { threadId: THREAD, status: { type: "systemError" } });
    broken.fire("settle");
    expect(broken.terminal?.status).toBe("failed");
  });

  it("hears nothing of other threads and other turns [CX11, CX12]", () => {
    const probe = start({ resumeSessionId: THREAD });
    answer(probe, {});
    completed(probe, "completed", null, "old-turn");
    answer(probe, { thread: { id: THREAD } });
    answer(probe, { turn: { id: TURN } });
    notify(probe, "turn/started", { threadId: THREAD, turn: { id: TURN } });
    item(probe, "completed", { type: "agentMessage", id: "9", text: "sub", phase: "final_answer" }, "sub-agent");
    completed(probe, "completed", null, "old-turn");
    expect(probe.messages).toEqual([]);
    expect(probe.terminal).toBeNull();
  });

  it("accepts the turn's end before the answer to turn/start [CX12]", () => {
    const probe = start();
    answer(probe, {});
    answer(probe, { thread: { id: THREAD } });
    notify(probe, "turn/started", { threadId: THREAD, turn: { id: TURN } });
    item(probe, "completed", { type: "agentMessage", id: "1", text: "quick" });
    completed(probe, "completed");
    expect(probe.terminal).toMatchObject({ status: "completed", output: "quick" });
  });

  it("takes the final answer, else the last message, for the output [CX13]", () => {
    const probe = running();
    item(probe, "completed", { type: "agentMessage", id: "1", text: "first" });
    item(probe, "completed", { type: "agentMessage", id: "2", text: "answer", phase: "final_answer" });
    item(probe, "completed", { type: "agentMessage", id: "3", text: "after" });
    completed(probe, "completed");
    expect(probe.terminal?.output).toBe("answer");
    expect(probe.messages.filter((message) => message.kind === "text").map((message) => message.content)).toEqual(["first", "\n\nanswer", "\n\nafter"]);
  });

  it("fails when the process exits in the middle of a turn, also with code 0 [CX21]", () => {
    const probe = running();
    probe.feed({ type: "exit", exit: { code: 0, signal: null } });
    expect(probe.terminal).toMatchObject({ status: "failed", withStderr: true, error: "codex process exited: exit status 0" });
  });

  it("rejects the resume of a thread too long to be read, and no other overflow [CX20]", () => {
    const resumed = start({ resumeSessionId: THREAD });
    answer(resumed, {});
    resumed.feed({ type: "readFailed", message: "token too long: a line is over 9 bytes" });
    expect(resumed.terminal).toMatchObject({ status: "failed", resumeRejected: true });
    expect(resumed.terminal?.error).toMatch(/thread\/resume failed.*token too long/);
    const fresh = running();
    fresh.feed({ type: "readFailed", message: "token too long: a line is over 9 bytes" });
    expect(fresh.terminal).toMatchObject({ status: "failed", resumeRejected: false, error: expect.stringContaining("token too long") as string });
  });

  it("counts a turn's own usage when no report came [CX28]", () => {
    const probe = running({ model: "gpt" });
    notify(probe, "turn/completed", { threadId: THREAD, turn: { id: TURN, status: "completed", usage: { input_tokens: 100, cached_input_tokens: 40, output_tokens: 7 } } });
    expect(probe.terminal?.usage).toEqual({ gpt: { inputTokens: 60, outputTokens: 7, cacheReadTokens: 40, cacheWriteTokens: 0 } });
  });
});

describe("codex timers", () => {
  it("ends a turn that stops after a tool result [CX14]", () => {
    const probe = running({ model: "gpt", cliVersion: "codex-cli 0.169.0" });
    item(probe, "started", { type: "commandExecution", id: "c", command: "ls" });
    item(probe, "completed", { type: "commandExecution", id: "c", command: "ls", aggregatedOutput: "x", status: "completed" });
    probe.fire("semantic-inactivity");
    expect(probe.terminal?.status).toBe("timeout");
    expect(probe.terminal?.error).toBe(
      "codex semantic inactivity timeout after 10m0s without agent progress (last activity: tool_result:exec_command; " +
        'codex_version="codex-cli 0.169.0" thread_id="thread-1" turn_id="turn-1" model="gpt")',
    );
  });

  it("restarts the window with every delta [CX15]", () => {
    const probe = running();
    probe.timers.delete("semantic-inactivity");
    notify(probe, "item/agentMessage/delta", { threadId: THREAD, turnId: TURN, itemId: "m", delta: "." });
    expect(probe.timers.get("semantic-inactivity")).toBe(600_000);
  });

  it("gives up a first turn with nothing but retries, and may try once more without the session [CX16, CX19]", () => {
    const probe = running();
    notify(probe, "error", { threadId: THREAD, turnId: TURN, willRetry: true, error: { message: "again" } });
    expect(probe.timers.get("first-turn")).toBe(60_000);
    probe.fire("first-turn");
    expect(probe.terminal).toMatchObject({
      status: "timeout",
      error: expect.stringContaining("codex app-server no progress timeout after 1m0s") as string,
      again: { withoutResume: true, ifStderr: "failed to refresh available models", minDelayMs: 500, maxDelayMs: 1500 },
    });
    expect(probe.messages).toEqual([]);
  });

  it("stops the first-turn window with any progress [CX16]", () => {
    const probe = running();
    item(probe, "started", { type: "agentMessage", id: "m" });
    expect(probe.timers.has("first-turn")).toBe(false);
  });

  it("leaves the first turn four fifths of a short window, unless told otherwise [CX17]", () => {
    expect(running({ timeouts: { semanticInactivityMs: 10_000 } }).timers.get("first-turn")).toBe(8000);
    expect(running({ timeouts: { semanticInactivityMs: 10_000, firstTurnMs: 3000 } }).timers.get("first-turn")).toBe(3000);
    expect(running({ timeouts: { semanticInactivityMs: 0 } }).timers.has("semantic-inactivity")).toBe(false);
  });
});

describe("codex, told to stop", () => {
  it("interrupts the turn and waits for its end", () => {
    const probe = running();
    probe.feed({ type: "abort", reason: { kind: "cancel" } });
    expect(probe.written.at(-1)).toMatchObject({ method: "turn/interrupt", params: { threadId: THREAD, turnId: TURN } });
    expect(probe.terminal).toBeNull();
    completed(probe, "interrupted");
    expect(probe.terminal).toMatchObject({ status: "aborted", error: "execution cancelled" });
  });

  it("is aborted although the turn was completed meanwhile", () => {
    const probe = running();
    probe.feed({ type: "abort", reason: { kind: "cancel" } });
    completed(probe, "completed");
    expect(probe.terminal?.status).toBe("aborted");
  });

  it("finishes at once without a turn, and when nobody answers in time", () => {
    const early = start();
    early.feed({ type: "abort", reason: { kind: "cancel" } });
    expect(early.terminal?.status).toBe("aborted");
    const deaf = running();
    deaf.feed({ type: "abort", reason: { kind: "deadline", afterMs: 90_000 } });
    deaf.feed({ type: "expire" });
    expect(deaf.terminal).toMatchObject({ status: "timeout", error: "codex timed out after 1m30s", sessionId: THREAD });
  });
});

describe("codex items", () => {
  it("shows an MCP call without its result [CX33]", () => {
    const probe = running();
    const call = { type: "mcpToolCall", id: "x", tool: "search", server: "s", arguments: { q: "TOKEN=abcdefgh" } };
    item(probe, "started", call);
    item(probe, "completed", { ...call, status: "failed", durationMs: 12, error: { message: "bad" }, result: { content: "SECRET CONTENT" } });
    expect(probe.messages.slice(1)).toEqual([
      { kind: "tool_use", tool: "search", callId: "x", input: { server: "s", arguments: { q: "TOKEN=[REDACTED]" } } },
      { kind: "tool_result", tool: "search", callId: "x", output: "failed\nduration: 12 ms\nerror: bad", status: "failed" },
    ]);
  });

  it("redacts a patch before it cuts it at 64 KiB [CX32]", () => {
    const probe = running();
    const secret = `ghp_${"a".repeat(36)}`;
    const diff = `${"x".repeat(64 * 1024 - 20)}\n${secret} ${"é".repeat(60_000)}`;
    item(probe, "started", { type: "fileChange", id: "p", changes: [{ path: "a.txt", kind: { type: "update", move_path: null }, diff }] });
    const use = probe.messages.find((message) => message.kind === "tool_use");
    const input = use?.input as { changes: { diff: string; truncated?: boolean }[]; truncated?: boolean; original_bytes?: number };
    expect(Buffer.byteLength(input.changes[0]?.diff ?? "")).toBeLessThanOrEqual(64 * 1024);
    expect(input.changes[0]?.diff).not.toContain("ghp_");
    expect(input.changes[0]?.diff).not.toContain("\ufffd");
    expect(input).toMatchObject({ truncated: true, changes: [{ truncated: true }] });
    expect(input.original_bytes).toBeGreaterThan(64 * 1024);
  });

  it("tells a patch of both dialects alike", () => {
    const current = running();
    item(current, "started", { type: "fileChange", id: "p", changes: [{ path: "b", kind: "add", diff: "new" }] });
    item(current, "completed", { type: "fileChange", id: "p", status: "completed", changes: [{ path: "b", kind: "add", diff: "new" }] });
    const legacy = started();
    const send = (msg: Record<string, unknown>): void => notify(legacy, `codex/event/${String(msg["type"])}`, { msg, conversationId: THREAD });
    send({ type: "task_started" });
    send({ type: "patch_apply_begin", call_id: "p", changes: { b: { type: "add", content: "new" } } });
    send({ type: "patch_apply_end", call_id: "p", success: true, stdout: "", stderr: "", changes: { b: { type: "add", content: "new" } } });
    expect(legacy.messages).toEqual(current.messages);
    expect(current.messages.at(-1)).toMatchObject({ output: "completed (1 file)" });
  });

  it("never changes the state it was given", () => {
    const one = running();
    const two = running();
    item(one, "completed", { type: "agentMessage", id: "1", text: "a" });
    item(two, "completed", { type: "agentMessage", id: "1", text: "a" });
    expect(one.effects).toEqual(two.effects);
  });
});

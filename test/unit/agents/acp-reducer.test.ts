import { describe, expect, it } from "vitest";
import { Driver } from "../../support/acp-replay.ts";

const text = (value: string, more: object = {}): Record<string, unknown> => ({ sessionUpdate: "agent_message_chunk", content: { type: "text", text: value }, ...more });
const call = (id: string, more: object = {}): Record<string, unknown> => ({ sessionUpdate: "tool_call", toolCallId: id, title: "x", kind: "execute", ...more });
const change = (id: string, more: object = {}): Record<string, unknown> => ({ sessionUpdate: "tool_call_update", toolCallId: id, ...more });
const content = (value: string): object => ({ content: [{ type: "content", content: { type: "text", text: value } }] });
const uses = (driver: Driver): unknown[] => driver.messages.filter((message) => message.kind === "tool_use");
const results = (driver: Driver): unknown[] => driver.messages.filter((message) => message.kind === "tool_result");

describe("the handshake", () => {
  it("counts its requests from 0 and offers no client capability", () => {
    const driver = new Driver();
    expect(driver.written[0]).toMatchObject({ id: 0, method: "initialize", params: { protocolVersion: 1, clientCapabilities: {} } });
  });

  it.each([
    [{ sessionCapabilities: { resume: {} }, loadSession: true }, "session/resume"],
    [{ loadSession: true }, "session/load"],
    [{}, "session/new"],
  ])("resumes as the agent offers: %j → %s", (agentCapabilities, method) => {
    const driver = new Driver({ resumeSessionId: "old" });
    driver.answer("initialize", { protocolVersion: 1, agentCapabilities });
    expect(driver.methods.at(-1)).toBe(method);
  });

  it("uses the id that a resume answers with, and keeps the asked one when there is none", () => {
    for (const [answer, id] of [[{ sessionId: "other" }, "other"], [{}, "old"]] as const) {
      const driver = new Driver({ resumeSessionId: "old" });
      driver.answer("initialize", { agentCapabilities: { loadSession: true } });
      driver.answer("session/load", answer);
      expect(driver.end().sessionId).toBe(id);
    }
  });

  it("puts the continuity notice before the prompt only when the session is a fresh one", () => {
    const options = { prompt: "go on", resumeSessionId: "old", resumeExpected: true, continuityNotice: "NOTICE", systemPrompt: "BRIEF" };
    const prompt = (agentCapabilities: object, method: string, answer: object): unknown => {
      const driver = new Driver(options);
      driver.answer("initialize", { agentCapabilities });
      driver.answer(method, answer);
      return driver.sent("session/prompt").prompt;
    };
    expect(prompt({ loadSession: true }, "session/load", {})).toEqual([{ type: "text", text: "BRIEF\n\ngo on" }]);
    expect(prompt({}, "session/new", { sessionId: "s" })).toEqual([{ type: "text", text: "BRIEF\n\nNOTICE\n\ngo on" }]);
    expect(prompt({ loadSession: true }, "session/load", { sessionId: "x" })).toEqual([{ type: "text", text: "BRIEF\n\nNOTICE\n\ngo on" }]);
  });

  it("fails on another protocol version, a session without id, and a step without answer", () => {
    const version = new Driver();
    version.answer("initialize", { protocolVersion: 2 });
    expect(version.terminal).toMatchObject({ status: "failed", error: expect.stringContaining("protocol version 2") });
    const session = new Driver();
    session.answer("initialize", {});
    session.answer("session/new", {});
    expect(session.terminal?.error).toBe("acp session/new returned no session ID");
    const silent = new Driver({ timeouts: { handshakeMs: 5000 } });
    expect(silent.timers.get("handshake")).toBe(5000);
    silent.feed({ type: "timer", id: "handshake" });
    expect(silent.terminal).toMatchObject({ status: "failed", error: "acp initialize timed out after 5s" });
  });

  it("skips banners and unknown notifications and writes nothing in response", () => {
    const driver = new Driver().ready();
    const before = driver.written.length;
    for (const line of ["Welcome!", "{broken", "[]", '{"method":"other/thing","params":{}}', '{"id":99,"result":{}}', ""]) driver.out(line);
    expect(driver.written.length).toBe(before);
    expect(driver.end().status).toBe("completed");
  });
});

describe("model and effort", () => {
  it("switches the model as the session offers it, not at all when it is the session's, and fails when that is refused", () => {
    const plain = new Driver({ model: "m" }).ready();
    expect(plain.sent("session/set_model")).toEqual({ sessionId: "s1", modelId: "m" });
    plain.refuse("session/set_model", -32_602, "unknown model");
    expect(plain.terminal).toMatchObject({ status: "failed", sessionId: "s1", error: 'acp could not switch to model "m": unknown model (code=-32602)' });
    const option = new Driver({ model: "m" }).ready({ configOptions: [{ id: "model", category: "model", currentValue: "n", options: [] }] });
    expect(option.sent("session/set_config_option")).toEqual({ sessionId: "s1", configId: "model", value: "m" });
    const current = new Driver({ model: "m" }).ready({ models: { currentModelId: "m" } });
    expect(current.methods.at(-1)).toBe("session/prompt");
  });

  it("never fails for the effort: set, not offered, refused, read back differently", () => {
    const offered = { configOptions: [{ id: "thought_level", currentValue: "low", options: [{ value: "low" }, { value: "high" }] }] };
    const set = new Driver({ thinkingLevel: "high" }).ready(offered);
    expect(set.sent("session/set_config_option")).toEqual({ sessionId: "s1", configId: "thought_level", value: "high" });
    set.answer("session/set_config_option", { configOptions: [{ id: "thought_level", currentValue: "low" }] });
    expect(JSON.stringify(set.messages)).toContain("set the thinking level to low");
    expect(set.end().status).toBe("completed");
    const refused = new Driver({ thinkingLevel: "high" }).ready(offered);
    refused.refuse("session/set_config_option", -32_000, "no");
    expect(refused.end().status).toBe("completed");
    const missing = new Driver({ thinkingLevel: "extreme" }).ready(offered);
    expect(missing.methods.at(-1)).toBe("session/prompt");
  });
});

describe("updates", () => {
  it("drops the replay of a loaded conversation, its usage too, and what belongs to another session", () => {
    const driver = new Driver({ resumeSessionId: "s1" });
    driver.answer("initialize", { agentCapabilities: { loadSession: true } });
    driver.update(text("old answer"));
    driver.update({ sessionUpdate: "usage_update", usage: { inputTokens: 999 } });
    driver.update(call("c", { rawInput: { command: "rm" } }));
    driver.answer("session/load", {});
    driver.update(text("other session"), "s2");
    driver.update(text("new answer"));
    expect(driver.end()).toMatchObject({ output: "new answer", usage: {} });
    expect(driver.messages.map((message) => message.kind)).toEqual(["status", "text"]);
  });

  it("knows other spellings and the wrapper form", () => {
    const driver = new Driver().ready();
    driver.update({ type: "AgentMessageChunk", content: { text: "a" } });
    driver.update({ "agent-message-chunk": { content: { text: "b" } } });
    driver.out({ method: "session/notification", params: { update: text("c") } });
    expect(driver.end().output).toBe("abc");
  });

  it("takes what comes after the prompt's answer until it is silent", () => {
    const driver = new Driver().ready();
    driver.answer("session/prompt", { stopReason: "end_turn" });
    expect(driver.terminal).toBeNull();
    expect([driver.timers.get("quiet"), driver.timers.get("late")]).toEqual([250, 2000]);
    driver.update(text("late"));
    driver.feed({ type: "timer", id: "quiet" });
    expect(driver.terminal).toMatchObject({ status: "completed", output: "late" });
  });

  it("answers with the last text: after a tool the later one, the earlier one when nothing follows", () => {
    const both = new Driver().ready();
    both.update(text("first"));
    both.update(call("c", { rawInput: { a: 1 } }));
    both.update(change("c", { status: "completed" }));
    both.update(text("second"));
    expect(both.end().output).toBe("second");
    const one = new Driver().ready();
    one.update(text("only"));
    one.update(call("c", { rawInput: { a: 1 } }));
    expect(one.end().output).toBe("only");
  });
});

describe("tool calls", () => {
  it("announces a call with arguments at once", () => {
    const driver = new Driver().ready();
    driver.update(call("c", { rawInput: { command: "ls" } }));
    expect(uses(driver)).toEqual([{ kind: "tool_use", tool: "terminal", callId: "c", input: { command: "ls" } }]);
    driver.update(change("c", { status: "completed", rawOutput: "a\n" }));
    expect(results(driver)).toEqual([{ kind: "tool_result", tool: "terminal", callId: "c", output: "a\n", status: "completed" }]);
  });

  it("waits for arguments that stream in, and announces them once, as an object or as text", () => {
    const driver = new Driver().ready();
    for (const part of ['{"pa', '{"path":"a"}']) driver.update(change("c", { status: "in_progress", ...content(part) }));
    driver.update(change("c", { status: "completed" }));
    driver.update(call("d"));
    driver.update(change("d", content("not json")));
    driver.update(change("d", { status: "failed", rawOutput: { code: 1 } }));
    expect(uses(driver)).toMatchObject([{ input: { path: "a" } }, { input: { text: "not json" } }]);
    expect(results(driver)).toMatchObject([{ output: "" }, { output: '{"code":1}', status: "failed" }]);
  });

  it("makes up the use of a call that is only known by its end", () => {
    const driver = new Driver().ready();
    driver.update(change("c", { status: "completed", title: "Read file", kind: "read", rawInput: { path: "a" }, ...content("text") }));
    expect(driver.messages.slice(1)).toEqual([
      { kind: "tool_use", tool: "read_file", callId: "c", input: { path: "a" } },
      { kind: "tool_result", tool: "read_file", callId: "c", output: "text", status: "completed" },
    ]);
  });

  it("keeps the last output of a call that streams it, since every update holds all of it", () => {
    const driver = new Driver().ready();
    driver.update(call("c", { rawInput: { command: "make" } }));
    for (const output of ["a", "a\nb"]) driver.update(change("c", { status: "in_progress", ...content(output) }));
    driver.update(change("c", { status: "completed" }));
    expect(results(driver)).toMatchObject([{ output: "a\nb" }]);
  });

  it("sums diffs up and skips terminals", () => {
    const driver = new Driver().ready();
    const blocks = [
      { type: "diff", path: "new.txt", newText: "äb" },
      { type: "diff", path: "old.txt", oldText: "abc", newText: "a" },
      { type: "terminal", terminalId: "t" },
    ];
    driver.update(change("c", { status: "completed", kind: "edit", content: blocks }));
    expect(results(driver)).toMatchObject([
      { tool: "edit_file", output: "--- new.txt\n+++ new.txt\n(new file, 3 bytes)\n--- old.txt\n+++ old.txt\n(edited: 3 → 1 bytes)" },
    ]);
  });

  it("ends calls that the run cut off", () => {
    const driver = new Driver().ready();
    driver.update(call("c", { rawInput: { command: "sleep" } }));
    driver.feed({ type: "exit", exit: { code: null, signal: "SIGKILL" } });
    expect(results(driver)).toMatchObject([{ callId: "c", status: "unfinished" }]);
    expect(driver.terminal).toMatchObject({ status: "failed", error: "acp session/prompt failed: acp process exited: signal: SIGKILL" });
  });
});

describe("permissions", () => {
  const option = (optionId: string, kind: string): object => ({ optionId, kind, name: optionId });
  const ask = (driver: Driver, params: unknown): unknown => {
    driver.out({ id: 0, method: "session/request_permission", params });
    const answer = driver.written.at(-1);
    return answer?.error ?? (answer?.result as { outcome: unknown }).outcome;
  };
  const selected = (optionId: string): object => ({ outcome: "selected", optionId });

  it.each([
    [[option("a", "allow_once"), option("b", "allow_always")], selected("b")],
    [[option("a", "allow_once"), option("r", "reject_once")], selected("a")],
    [[option("approve_for_session", "Allow_Always ")], selected("approve_for_session")],
    [[option("allow_session", "reject_once")], selected("allow_session")],
    [[option("r", "reject_always")], { code: -32_603, message: "no auto-selectable permission option offered" }],
    [[option("", "allow_once")], { code: -32_603, message: "no auto-selectable permission option offered" }],
    [undefined, { code: -32_603, message: "no auto-selectable permission option offered" }],
  ])("of %j chooses %j", (options, outcome) => {
    expect(ask(new Driver().ready(), { options })).toEqual(outcome);
  });

  it("says so when only a rejection was offered", () => {
    const driver = new Driver().ready();
    ask(driver, { options: [option("r", "reject_once")] });
    expect(driver.logs.join()).toContain("no way to allow");
  });

  it("cancels a question that comes while the run is being ended", () => {
    const driver = new Driver().ready();
    driver.feed({ type: "abort", reason: { kind: "cancel" } });
    expect(ask(driver, { options: [option("a", "allow_once")] })).toEqual({ outcome: "cancelled" });
  });

  it("answers any other request with method not found, id 0 included", () => {
    const driver = new Driver().ready();
    driver.out({ id: 0, method: "fs/read_text_file", params: {} });
    expect(driver.written.at(-1)).toMatchObject({ id: 0, error: { code: -32_601, message: "method not found: fs/read_text_file" } });
  });
});

describe("the end", () => {
  it("cancels through the protocol and ends with the agent's answer, or at the end of the window", () => {
    const answered = new Driver().ready();
    answered.feed({ type: "abort", reason: { kind: "cancel" } });
    expect(answered.written.at(-1)).toEqual({ jsonrpc: "2.0", method: "session/cancel", params: { sessionId: "s1" } });
    answered.answer("session/prompt", { stopReason: "cancelled" });
    expect(answered.terminal).toMatchObject({ status: "aborted", error: "execution cancelled", sessionId: "s1" });
    const silent = new Driver().ready();
    silent.feed({ type: "abort", reason: { kind: "deadline", afterMs: 60_000 } });
    silent.feed({ type: "expire" });
    expect(silent.terminal).toMatchObject({ status: "timeout", error: "acp timed out after 1m0s" });
    const early = new Driver();
    early.feed({ type: "abort", reason: { kind: "cancel" } });
    expect(early.terminal).toMatchObject({ status: "aborted" });
    expect(early.methods).toEqual(["initialize"]);
  });

  it.each(["end_turn", "refusal", "max_tokens", "max_turn_requests"])("completes for %s", (stopReason) => {
    expect(new Driver().ready().end({ stopReason }).status).toBe("completed");
  });

  it("does not take an answer without a stop reason for a success", () => {
    expect(new Driver().ready().end({})).toMatchObject({ status: "failed", error: "acp session/prompt returned no stop reason" });
  });

  it.each([-32_603, -32_602, -32_002])("knows a lost session at the prompt of a resumed run (%i)", (code) => {
    const resumed = new Driver({ resumeSessionId: "s1" });
    resumed.answer("initialize", { agentCapabilities: { loadSession: true } });
    resumed.answer("session/load", {});
    resumed.refuse("session/prompt", code, "Internal error", { details: "Unknown session" });
    expect(resumed.terminal).toMatchObject({ status: "failed", sessionId: "", resumeRejected: true });
    const fresh = new Driver().ready();
    fresh.refuse("session/prompt", code, "Session not found");
    expect(fresh.terminal).toMatchObject({ sessionId: "s1", resumeRejected: false });
  });

  it("keeps the session when only the sign-in is missing", () => {
    const driver = new Driver({ resumeSessionId: "old" });
    driver.answer("initialize", { agentCapabilities: { loadSession: true } });
    driver.refuse("session/load", -32_000, "Authentication required");
    expect(driver.terminal).toMatchObject({ status: "failed", resumeRejected: false });
  });

  it("reports a line over the limit and a process that never spoke", () => {
    const long = new Driver().ready();
    long.feed({ type: "readFailed", message: "token too long" });
    expect(long.terminal?.error).toBe("acp stdout read error: token too long");
    const dead = new Driver();
    dead.feed({ type: "inputFailed", message: "EPIPE" });
    dead.feed({ type: "exit", exit: { code: 127, signal: null } });
    expect(dead.terminal?.error).toBe("acp initialize failed: acp process exited: exit status 127 (write failed: EPIPE)");
  });
});

describe("a failure told on stderr or in the text", () => {
  it("fails an empty turn with the detail of the provider's error", () => {
    const driver = new Driver().ready();
    driver.err("❌ HTTP 401 AuthenticationError");
    driver.err("  Error: key is wrong");
    expect(driver.end()).toMatchObject({ status: "failed", error: "acp provider error: key is wrong" });
  });

  it("completes when a retry was followed by an answer", () => {
    const driver = new Driver().ready();
    driver.err("⚠️ RateLimitError HTTP 429, retrying");
    driver.update(text("answer"));
    expect(driver.end().status).toBe("completed");
  });

  it("ignores what a log record echoes", () => {
    const driver = new Driver().ready();
    for (const line of ['2026-07-01 10:00:00,000 [INFO] root: {"a": [', '  "Error: not mine",', "]}"]) driver.err(line);
    expect(driver.end().status).toBe("completed");
  });

  it("fails when the agent gave up in its text, or put the failed call there and counted no tokens", () => {
    const gaveUp = new Driver().ready();
    gaveUp.update(text("API call failed after 3 retries"));
    expect(gaveUp.end().status).toBe("failed");
    const told = new Driver().ready();
    told.update(text("Error: 400 Unsupported parameter"));
    expect(told.end()).toMatchObject({ status: "failed", error: "acp provider error: Error: 400 Unsupported parameter" });
    const answer = new Driver().ready();
    answer.update(text("Error: 400 is what the endpoint returned; it is fixed now."));
    expect(answer.end({ stopReason: "end_turn", usage: { inputTokens: 5, outputTokens: 5 } }).status).toBe("completed");
  });
});

describe("usage", () => {
  const usage = (figures: object): object => ({ sessionUpdate: "usage_update", usage: figures });
  const total = (driver: Driver, result: object): unknown => Object.values(driver.end({ stopReason: "end_turn", ...result }).usage)[0];
  const row = (inputTokens: number, outputTokens: number, cacheReadTokens: number, cacheWriteTokens = 0): object => ({
    inputTokens,
    outputTokens,
    cacheReadTokens,
    cacheWriteTokens,
  });

  it("takes cache hits out of an input that includes them, once", () => {
    const driver = new Driver().ready();
    const figures = { inputTokens: 120, outputTokens: 30, totalTokens: 150, cachedReadTokens: 20 };
    driver.update(usage(figures) as Record<string, unknown>);
    expect(total(driver, { usage: figures })).toEqual(row(100, 30, 20));
  });

  it("lets a later cumulative figure outrank a normalised one", () => {
    const driver = new Driver().ready();
    driver.update(usage({ inputTokens: 300, outputTokens: 120, cachedReadTokens: 80 }) as Record<string, unknown>);
    expect(total(driver, { usage: { inputTokens: 120, outputTokens: 30, totalTokens: 150, cachedReadTokens: 20 } })).toEqual(row(300, 120, 80));
  });

  it("completes the answer's figures from its meta data and knows other spellings", () => {
    const driver = new Driver().ready();
    driver.update(usage({ cache_creation_input_tokens: 500 }) as Record<string, unknown>);
    const result = { usage: { input_tokens: "120", output_tokens: 30 }, _meta: { usage: { cached_input_tokens: 20, total_tokens: 150 } } };
    expect(total(driver, result)).toEqual(row(100, 30, 20, 500));
  });

  it("takes the larger cost, and names the model of the run, of the session, or unknown", () => {
    const cost = new Driver({ model: "m" }).ready({ models: { currentModelId: "m" } });
    expect(cost.end({ stopReason: "end_turn", usage: { outputTokens: 1, costUsdTicks: 5 }, _meta: { cost_usd_ticks: 7 } }).usage).toMatchObject({ m: { costUsdTicks: 7 } });
    const session = new Driver().ready({ models: { currentModelId: "of-session" } });
    expect(Object.keys(session.end({ stopReason: "end_turn", usage: { outputTokens: 1 } }).usage)).toEqual(["of-session"]);
    expect(new Driver().ready().end({ stopReason: "end_turn", usage: { used: 5, size: 9 } }).usage).toEqual({});
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type AgentMessage, getProvider, type RunOptions } from "../../../src/lib/agents/index.ts";
import { LineSplitter } from "../../../src/lib/core/index.ts";
import { type RecordedCase, type RecordedLine, ReducerProbe, recordedCases, recordedLines, replayRpc } from "../../support/replay.ts";

const VERSIONS = ["0.100.0", "0.142.3", "0.169.0"] as const;

interface Expected {
  readonly status: "completed" | "failed" | "aborted";
  readonly output: string;
  /** Every part the error text must hold; empty for a run without error. */
  readonly error: readonly string[];
  /** Status of each tool call, in order. */
  readonly tools: readonly string[];
  readonly texts: readonly string[];
  readonly resumeRejected?: boolean;
}

const done = (output: string, tools: readonly string[] = [], texts: readonly string[] = [output]): Expected => ({
  status: "completed",
  output,
  error: [],
  tools,
  texts,
});
const failed = (error: readonly string[], tools: readonly string[] = []): Expected => ({ status: "failed", output: "", error, tools, texts: [] });

const EXPECTED: Readonly<Record<string, Expected>> = {
  tool: done("Done: wrote hello.txt.", ["completed"]),
  resume: done("Goodbye."),
  "resume-unknown": { ...done("Continued."), resumeRejected: true },
  "tool-fails": done("The command failed.", ["failed"]),
  "two-tools": done("Both done.", ["completed", "completed"], ["First I look around.", "Both done."]),
  thinking: done("Forty-two."),
  "error-401": failed(["401 Unauthorized"]),
  "error-400": failed(["invalid_request_error"]),
  "error-429": failed(["429 Too Many Requests"]),
  "error-500": failed(["currently experiencing high demand"]),
  "error-context": failed(["context window"]),
  "error-once": done("Recovered."),
  dropped: done("Recovered."),
  // Exit code 0 without a `turn/completed` is no success (real-agents.md 3, finding 28).
  cancel: failed(["codex process exited", "exit status 0"], ["unfinished"]),
  "cancel-group": failed(["codex process exited", "exit status 0"], ["unfinished"]),
  interrupt: { status: "aborted", output: "", error: ["execution cancelled"], tools: ["unfinished"], texts: [] },
  approval: done("Done.", ["completed"]),
  "approval-declined": done("Not allowed.", ["declined"]),
  sandbox: done("Done.", ["completed"]),
  "exec-left-running": done("I leave it running.", ["unfinished"]),
  "thread-name": done("Hello."),
};

/** In the two older versions the end of a polled command is never told. */
const EXEC_POLL = { "0.100.0": "unfinished", "0.142.3": "unfinished", "0.169.0": "completed" } as const;

function optionsFor(name: string, recorded: RecordedCase): RunOptions {
  return {
    cwd: "/tmp/demo/workdir",
    prompt: recorded.resumed === undefined ? "Do the scripted task." : "Continue.",
    ...(recorded.resumed === undefined ? {} : { resumeSessionId: recorded.resumed }),
    ...(name === "thread-name" ? { threadName: "DEMO-1 Say hello" } : {}),
  };
}

function play(name: string, recorded: RecordedCase, lines: readonly RecordedLine[]): ReducerProbe {
  const probe = new ReducerProbe(getProvider("codex").reducer(optionsFor(name, recorded)));
  replayRpc(probe, lines, { cancelMethod: "turn/interrupt", exit: { code: recorded.exit_code ?? null, signal: recorded.exit_signal ?? null } });
  return probe;
}

function expectPairs(messages: readonly AgentMessage[], statuses: readonly string[]): void {
  const uses = messages.flatMap((message) => (message.kind === "tool_use" ? [message] : []));
  const results = messages.flatMap((message) => (message.kind === "tool_result" ? [message] : []));
  expect(results.map((result) => result.status)).toEqual(statuses);
  expect([...new Set(results.map((result) => result.callId))]).toEqual(uses.map((use) => use.callId));
  for (const use of uses) expect(use.input?.["command"]).toMatch(/^\/bin\/bash -lc /);
}

function expectOutcome(probe: ReducerProbe, expected: Expected): void {
  const { terminal } = probe;
  expect(terminal).toMatchObject({ status: expected.status, output: expected.output, resumeRejected: expected.resumeRejected ?? false });
  if (expected.error.length === 0) expect(terminal?.error).toBe("");
  for (const part of expected.error) expect(terminal?.error).toContain(part);
  expectPairs(probe.messages, expected.tools);
  expect(probe.messages.flatMap((message) => (message.kind === "text" ? [message.content] : []))).toEqual(expected.texts);
  const statuses = probe.messages.filter((message) => message.kind === "status");
  expect(statuses).toEqual([{ kind: "status", status: "running", sessionId: terminal?.sessionId }]);
}

describe.each(VERSIONS)("codex %s, replayed", (version) => {
  const cases = recordedCases("codex", version);

  it("has an expectation for every recording", () => {
    expect(Object.keys(cases).filter((name) => !(name in EXPECTED)).sort()).toEqual(
      ["exec-poll", ...(version === "0.100.0" ? [] : ["resume-busy"]), "version"],
    );
  });

  it.each(Object.keys(EXPECTED))("tells %s as it was", (name) => {
    const recorded = cases[name];
    if (recorded === undefined) throw new Error(`no recording of ${name}`);
    const probe = play(name, recorded, recordedLines("codex", version, name));
    expectOutcome(probe, EXPECTED[name] as Expected);
    const session = name === "resume" ? recorded.resumed : recorded.session;
    expect(probe.terminal?.sessionId).toBe(session ?? probe.terminal?.sessionId);
    expect(probe.terminal?.sessionId).not.toBe("");
  });

  it("tells a polled command as it was", () => {
    const recorded = cases["exec-poll"] as RecordedCase;
    const probe = play("exec-poll", recorded, recordedLines("codex", version, "exec-poll"));
    expectOutcome(probe, done("Polled.", [EXEC_POLL[version]]));
    expect(probe.messages.find((message) => message.kind === "tool_result")).toMatchObject({ output: expect.stringContaining("tick 2\ntick 3\n") as string });
  });

  it.each(Object.keys(EXPECTED))("counts the tokens of this turn of %s once", (name) => {
    const recorded = cases[name] as RecordedCase;
    const probe = play(name, recorded, recordedLines("codex", version, name));
    const answered = recorded.model_answers.filter((answer) => !/^(?:error|drop)/.test(answer)).length;
    const counted = probe.terminal?.usage["mock-model"]?.outputTokens ?? 0;
    // A process that is ended in the middle of its answer may not have told the last count.
    if (name.startsWith("cancel")) expect([0, 10]).toContain(counted);
    else if (answered === 0) expect(probe.terminal?.usage).toEqual({});
    else {
      expect(probe.terminal?.usage).toEqual({
        "mock-model": { inputTokens: 80 * answered, outputTokens: 10 * answered, cacheReadTokens: 20 * answered, cacheWriteTokens: 0 },
      });
    }
  });

  it("answers an approval request with id 0 in the words of its dialect", () => {
    const probe = play("approval", cases["approval"] as RecordedCase, recordedLines("codex", version, "approval"));
    expect(probe.written).toContainEqual({ jsonrpc: "2.0", id: 0, result: { decision: "accept" } });
  });

  it("writes the requests that were recorded, and asks a resumed thread for no history", () => {
    for (const name of ["tool", "resume", "thread-name", "interrupt"]) {
      const recorded = cases[name] as RecordedCase;
      const probe = new ReducerProbe(getProvider("codex").reducer(optionsFor(name, recorded)));
      const pairs = replayRpc(probe, recordedLines("codex", version, name), { cancelMethod: "turn/interrupt", exit: { code: 0, signal: null } });
      for (const { recorded: theirs, written } of pairs) {
        const ours = { ...written, ...(written.params === undefined ? {} : { params: { ...written.params } }) };
        if (written.method === "thread/resume") expect(written.params).toMatchObject({ excludeTurns: true });
        delete ours.params?.["excludeTurns"];
        if (name === "resume" && written.method === "turn/start") delete ours.params?.["input"], delete theirs.params?.["input"];
        expect(ours).toEqual(theirs);
      }
    }
  });

  it("tells thinking apart from text", () => {
    const probe = play("thinking", cases["thinking"] as RecordedCase, recordedLines("codex", version, "thinking"));
    expect(probe.messages).toContainEqual({ kind: "thinking", content: "The user wants a short answer." });
  });

  it("gives the same effects wherever the bytes are cut", () => {
    for (const name of ["two-tools", "error-500", "resume"]) {
      const recorded = cases[name] as RecordedCase;
      const lines = recordedLines("codex", version, name);
      const whole = play(name, recorded, lines);
      const bytes = Buffer.from(lines.flatMap(({ dir, line }) => (dir === "out" ? [`${line}\n`] : [])).join(""));
      fc.assert(
        fc.property(fc.array(fc.integer({ min: 1, max: bytes.length }), { maxLength: 30 }), (cuts) => {
          const splitter = new LineSplitter(1 << 20);
          const probe = new ReducerProbe(getProvider("codex").reducer(optionsFor(name, recorded)));
          let from = 0;
          for (const to of [...cuts.sort((a, b) => a - b), bytes.length]) {
            for (const line of splitter.push(bytes.subarray(from, to))) probe.out(line.toString("utf8"));
            from = Math.max(from, to);
          }
          expect(probe.effects).toEqual(whole.effects);
        }),
        { numRuns: 25, seed: 7 },
      );
    }
  });
});

describe("codex 0.100.0, which speaks two protocols at once", () => {
  const cases = recordedCases("codex", "0.100.0");
  const isCurrent = (line: string): boolean => /^\{"method":"(?:turn\/|item\/[a-zA-Z]+(?:\/[a-zA-Z]+)*","params|error|thread\/tokenUsage)/.test(line);

  it.each(Object.keys(EXPECTED).filter((name) => name !== "approval-declined"))("tells %s alike when only the older one is left", (name) => {
    const recorded = cases[name] as RecordedCase;
    const lines = recordedLines("codex", "0.100.0", name);
    const left = lines.filter(({ dir, line }) => dir !== "out" || !isCurrent(line));
    expect(left.length).toBeLessThan(lines.length - 3);
    const older = play(name, recorded, left);
    const both = play(name, recorded, lines);
    expect(older.messages).toEqual(both.messages);
    expect(older.terminal).toEqual(both.terminal);
  });
});

describe("codex 0.169.0, asked to resume a thread that is open elsewhere", () => {
  const recorded = recordedCases("codex", "0.169.0")["resume-busy"] as RecordedCase;
  const lines = recordedLines("codex", "0.169.0", "resume-busy");
  const busy = JSON.parse(lines.find(({ dir, line }) => dir === "out" && line.includes("active writer"))?.line ?? "{}") as { error: unknown };

  function untilBusy(): ReducerProbe {
    const probe = new ReducerProbe(getProvider("codex").reducer(optionsFor("resume-busy", recorded)));
    for (const { dir, line } of lines) {
      if (dir === "out") probe.out(line);
      if (line.includes("active writer") && dir === "out") break;
    }
    return probe;
  }

  it("waits and asks again, and resumes once the other is gone", () => {
    const probe = untilBusy();
    expect(probe.written.at(-1)?.method).toBe("thread/resume");
    probe.fire("resume-retry");
    const again = probe.written.at(-1);
    expect(again).toMatchObject({ method: "thread/resume", params: { threadId: recorded.resumed } });
    probe.out({ id: again?.id, result: { thread: { id: recorded.resumed }, model: "mock-model" } });
    expect(probe.written.at(-1)).toMatchObject({ method: "turn/start", params: { threadId: recorded.resumed } });
  });

  it("starts a new thread after 15 refusals, without calling the session dead", () => {
    const probe = untilBusy();
    for (let attempt = 1; attempt < 15; attempt += 1) {
      probe.fire("resume-retry");
      probe.out({ id: probe.written.at(-1)?.id, error: busy.error });
    }
    expect(probe.written.filter((frame) => frame.method === "thread/resume")).toHaveLength(15);
    expect(probe.written.at(-1)?.method).toBe("thread/start");
    probe.out({ id: probe.written.at(-1)?.id, result: { thread: { id: "new" } } });
    probe.feed({ type: "exit", exit: { code: 1, signal: null } });
    expect(probe.terminal).toMatchObject({ status: "failed", sessionId: "new", resumeRejected: false });
  });
});

describe("codex 0.142.3, which lets two processes write to one thread", () => {
  it("resumes at once", () => {
    const recorded = recordedCases("codex", "0.142.3")["resume-busy"] as RecordedCase;
    const probe = play("resume-busy", recorded, recordedLines("codex", "0.142.3", "resume-busy"));
    expectOutcome(probe, done("Continued."));
    expect(probe.terminal?.sessionId).toBe(recorded.resumed);
  });
});

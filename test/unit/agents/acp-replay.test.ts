import { readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { AgentMessage } from "../../../src/lib/agents/contract.ts";
import { type Replay, replay } from "../../support/acp-replay.ts";

const ROOT = new URL("../../fixtures/agents", import.meta.url).pathname;
const recordings = readdirSync(ROOT)
  .filter((name) => name.endsWith("-acp"))
  .flatMap((provider) => readdirSync(`${ROOT}/${provider}`).flatMap((version) => cases(`${provider}/${version}`)));

function cases(directory: string): string[] {
  return readdirSync(`${ROOT}/${directory}`)
    .filter((name) => name.endsWith(".jsonl"))
    .map((name) => `${directory}/${name.replace(".jsonl", "")}`);
}

const of = (kind: string): string[] => recordings.filter((path) => path.endsWith(`/${kind}`));
const provider = (path: string): string => path.split("/")[0] ?? "";
const kinds = (replayed: Replay, kind: AgentMessage["kind"]): AgentMessage[] => replayed.messages.filter((message) => message.kind === kind);
const texts = (replayed: Replay, kind: "text" | "thinking"): string =>
  replayed.messages.flatMap((message) => (message.kind === kind ? [message.content] : [])).join("");
const MODEL_WARNING = "Model metadata for `mock-model`";

describe("recordings of ACP agents", () => {
  it.each(recordings)("%s: writes what the recording's client wrote, method by method and answer by answer", (path) => {
    const { written, recorded, meta } = replay(path);
    const shape = (message: Record<string, unknown>): unknown => message.method ?? message.result ?? message.error;
    // A client that was killed wrote nothing more; ours neither.
    expect(written.map(shape)).toEqual(recorded.map(shape));
    expect(meta).toBeDefined();
  });

  it.each(recordings)("%s: gives the same messages and outcome when it is replayed again", (path) => {
    const first = replay(path);
    expect(first.terminal).not.toBeNull();
    expect(replay(path)).toEqual(first);
  });

  it.each(recordings)("%s: announces every tool call once and ends each one", (path) => {
    const replayed = replay(path);
    const ids = (kind: "tool_use" | "tool_result"): string[] =>
      kinds(replayed, kind).flatMap((message) => (message.kind === "tool_use" || message.kind === "tool_result" ? [message.callId] : []));
    expect(new Set(ids("tool_use")).size).toBe(ids("tool_use").length);
    expect(ids("tool_result").sort()).toEqual(ids("tool_use").sort());
  });

  it.each(recordings)("%s: carries the session of the recording, or none when the agent refused it", (path) => {
    const { terminal, meta } = replay(path);
    expect(terminal?.sessionId).toBe(meta.session);
    expect(terminal?.resumeRejected).toBe(meta.resumed !== undefined && meta.resumed !== null && meta.session === "");
  });
});

describe("case tool", () => {
  it.each(of("tool"))("%s: one command, its output, the answer", (path) => {
    const replayed = replay(path);
    expect(replayed.terminal).toMatchObject({ status: "completed", output: "Done: wrote hello.txt.", error: "" });
    expect(kinds(replayed, "tool_use")).toEqual([expect.objectContaining({ tool: "terminal" })]);
    expect(JSON.stringify(kinds(replayed, "tool_use")[0])).toContain("echo hi > hello.txt && cat hello.txt");
    const [result] = kinds(replayed, "tool_result");
    expect(result).toMatchObject({ tool: "terminal", status: "completed" });
    // gemini reports no output of a command at all.
    if (provider(path) !== "gemini-acp") expect(result?.kind === "tool_result" && result.output).toContain("hi");
    expect(replayed.messages[0]).toMatchObject({ kind: "status", status: "running" });
  });
});

describe("case tool-fails", () => {
  it.each(of("tool-fails"))("%s: the command's output stays, the run completes", (path) => {
    const replayed = replay(path);
    expect(replayed.terminal).toMatchObject({ status: "completed", output: "The command failed." });
    const [result] = kinds(replayed, "tool_result");
    if (provider(path) !== "gemini-acp") expect(result?.kind === "tool_result" && result.output).toContain("oops");
  });
});

describe("case thinking", () => {
  it.each(of("thinking"))("%s: thoughts are no answer", (path) => {
    const replayed = replay(path);
    expect(texts(replayed, "thinking")).toContain("The user wants a short answer.");
    expect(replayed.terminal).toMatchObject({ status: "completed", output: "Forty-two." });
  });
});

describe("case resume", () => {
  it.each(of("resume").filter((path) => provider(path) !== "gemini-acp"))("%s: the replayed conversation is not told again", (path) => {
    const replayed = replay(path);
    expect(replayed.terminal?.status).toBe("completed");
    expect(texts(replayed, "text")).toContain("Goodbye.");
    expect(texts(replayed, "text")).not.toContain("Done: wrote hello.txt.");
    expect(kinds(replayed, "tool_use")).toEqual([]);
  });

  it.each([...of("resume-unknown"), ...of("resume").filter((path) => provider(path) === "gemini-acp")])("%s: is a rejected session", (path) => {
    const { terminal, meta } = replay(path);
    expect(terminal).toMatchObject({ status: "failed", sessionId: "", resumeRejected: true, withStderr: true });
    expect(terminal?.error).toContain(String(meta.error));
  });
});

describe("cases error", () => {
  it.each(recordings.filter((path) => /\/error-(400|401)$/.test(path)))("%s: fails, whether as an error or as a text", (path) => {
    const { terminal } = replay(path);
    expect(terminal).toMatchObject({ status: "failed", resumeRejected: false });
    expect(terminal?.error).toMatch(/Invalid API key|Unsupported parameter|Authentication failed/);
    expect(terminal?.usage).toEqual({});
  });

  it.each(of("error-once"))("%s: a retry that worked is no failure", (path) => {
    expect(replay(path).terminal).toMatchObject({ status: "completed", output: expect.stringContaining("Recovered.") });
  });
});

describe("cases cancel", () => {
  it.each(of("cancel-request"))("%s: ends as aborted with the agent's answer", (path) => {
    const replayed = replay(path);
    expect(replayed.terminal).toMatchObject({ status: "aborted", error: "execution cancelled" });
    expect(JSON.stringify(kinds(replayed, "tool_use"))).toContain("touch started; sleep 97");
  });

  it.each(of("cancel-group").filter((path) => provider(path) !== "omp-acp"))("%s: a process that is ended from outside is a failure", (path) => {
    const { terminal, meta } = replay(path);
    expect(terminal?.status).toBe("failed");
    expect(terminal?.error).toContain(meta.exit_signal === undefined || meta.exit_signal === null ? "exit status 0" : "signal: SIGTERM");
  });

  it("omp answers the prompt before it goes: aborted", () => {
    expect(replay("omp-acp/18.2.3/cancel-group").terminal).toMatchObject({ status: "aborted", error: "acp cancelled the prompt" });
  });
});

describe("usage", () => {
  const expected: [string, Record<string, unknown>][] = [
    ["copilot-acp/1.0.102/tool", { inputTokens: 160, outputTokens: 20, cacheReadTokens: 40 }],
    ["omp-acp/18.2.3/tool", { inputTokens: 160, outputTokens: 20, cacheReadTokens: 40 }],
    // Of the last step only: it tells no more.
    ["opencode-acp/1.18.33/tool", { inputTokens: 80, outputTokens: 10, cacheReadTokens: 20 }],
    ["gemini-acp/0.61.0/tool", { inputTokens: 200, outputTokens: 20 }],
    // Two steps, each on its message.
    ["qwen-acp/0.24.4/tool", { inputTokens: 160, outputTokens: 20, cacheReadTokens: 40 }],
  ];

  it.each(expected)("%s", (path, usage) => {
    expect(Object.values(replay(path).terminal?.usage ?? {})).toEqual([expect.objectContaining(usage)]);
  });

  it.each(["claude-acp/0.16.2/tool", "codex-acp/0.16.0/tool"])("%s: none is reported, so there is none", (path) => {
    expect(replay(path).terminal?.usage).toEqual({});
  });
});

describe("texts", () => {
  it("leaves out an agent's warning from the answer when a thought or a tool comes between", () => {
    const replayed = replay("codex-acp/0.16.0/thinking");
    expect(texts(replayed, "text")).toContain(MODEL_WARNING);
    expect(replayed.terminal?.output).toBe("Forty-two.");
  });
});

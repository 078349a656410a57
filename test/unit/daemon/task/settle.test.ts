import { describe, expect, it } from "vitest";
import { settle } from "../../../../src/lib/daemon/task/settle.ts";

const facts = { provider: "codex", shuttingDown: false, timeoutMs: 60_000 };
const end = (status: string, error = "", output = "") => ({ status, error, output });

describe("settle", () => {
  it("takes only an explicit completed for a success", () => {
    expect(settle(end("completed", "", "answer"), facts)).toEqual({ kind: "completed", output: "answer" });
    expect(settle(end("completed", "", ""), facts)).toEqual({ kind: "completed", output: "" });
    for (const status of ["failed", "aborted", "timeout", "idle_watchdog", "cancelled", "weird", ""]) {
      expect(settle(end(status, "", "a fine answer"), facts).kind).toBe("failed");
    }
  });

  const table: [what: string, status: string, error: string, output: string, reason: string, text: string][] = [
    ["a give-up notice", "completed", "", "I reached the iteration limit.", "iteration_limit", "I reached the iteration limit."],
    ["a timeout without words", "timeout", "", "", "timeout", "codex timed out after 1m0s"],
    ["a timeout with words", "timeout", "too slow", "", "timeout", "too slow"],
    ["codex's inactivity", "timeout", "Codex semantic inactivity timeout", "", "codex_semantic_inactivity", "Codex semantic inactivity timeout"],
    ["codex's first turn", "timeout", "codex app-server no progress timeout", "", "codex_semantic_inactivity", "codex app-server no progress timeout"],
    ["the watchdog", "idle_watchdog", "agent produced no new messages", "", "idle_watchdog", "agent produced no new messages"],
    ["a cancellation", "cancelled", "", "", "cancelled", "task cancelled by server"],
    ["a poisoned request", "failed", "400 invalid_request_error", "", "api_invalid_request", "400 invalid_request_error"],
    ["capacity", "failed", "429 slow down", "", "agent_error.provider_capacity_or_rate_limit", "429 slow down"],
    ["a word nobody knows", "weird", "", "", "agent_error.unknown", "codex execution weird"],
    ["a crash", "failed", "exit status 3", "", "agent_error.process_failure", "exit status 3"],
    ["an abort of the agent's own", "aborted", "", "", "agent_error.unknown", "codex execution aborted"],
  ];
  it.each(table)("maps %s (K-33, K-34)", (_what, status, error, output, reason, text) => {
    expect(settle(end(status, error, output), facts)).toEqual({ kind: "failed", reason, error: text });
  });

  it("keeps a long answer that quotes a notice completed (K-32)", () => {
    const review = `The agent said "I reached the iteration limit". ${"More. ".repeat(350)}`;
    expect(settle(end("completed", "", review), facts).kind).toBe("completed");
  });

  it("retires the prior session when it cannot be loaded any more", () => {
    expect(settle(end("failed", "thread/resume failed: bufio: token too long"), facts)).toMatchObject({
      reason: "codex_resume_oversized",
      retirePriorSession: true,
    });
  });

  it("reports a run that the shutdown interrupted for recovery, and nothing else (K-37)", () => {
    const down = { ...facts, shuttingDown: true };
    const interrupted = { kind: "failed", reason: "runtime_recovery", error: "daemon shut down while the task was running" };
    expect(settle(end("cancelled"), down)).toEqual(interrupted);
    expect(settle(end("aborted", "execution cancelled"), down)).toEqual(interrupted);
    expect(settle(end("completed", "", "x"), down).kind).toBe("completed");
    expect(settle(end("failed", "exit status 1"), down)).toMatchObject({ reason: "agent_error.process_failure" });
  });
});

import { describe, expect, it } from "vitest";
import { threadName } from "../../../../src/lib/daemon/task/facts.ts";
import { createReleases } from "../../../../src/lib/daemon/task/release.ts";
import { completeBody, failBody, rejectedBody } from "../../../../src/lib/daemon/task/report.ts";
import { addUsage, mayRetryFresh, standing } from "../../../../src/lib/daemon/task/retry.ts";
import { type Known, nothingKnown } from "../../../../src/lib/daemon/task/run.ts";
import { usageRows } from "../../../../src/lib/daemon/task/usage.ts";
import { silentLogger } from "../../../../src/lib/platform/logger.ts";

const facts = { resumeRequested: true, toolCount: 0, interrupted: false, silentResume: false };
const failed = (error: string, resumeRejected = false) => ({ status: "failed" as const, error, resumeRejected, sessionId: "" });

describe("mayRetryFresh", () => {
  it("repeats only a rejected resume in which nothing was done (K-29)", () => {
    expect(mayRetryFresh(failed("no rollout found", true), facts)).toBe(true);
    expect(mayRetryFresh(failed("messages.3 must not be empty"), facts)).toBe(true);
    expect(mayRetryFresh(failed("Could not resolve authentication method"), facts)).toBe(true);
    expect(mayRetryFresh(failed("429"), facts)).toBe(false);
    expect(mayRetryFresh(failed("x", true), { ...facts, toolCount: 1 })).toBe(false);
    expect(mayRetryFresh(failed("x", true), { ...facts, resumeRequested: false })).toBe(false);
    expect(mayRetryFresh(failed("x", true), { ...facts, interrupted: true })).toBe(false);
    expect(mayRetryFresh({ status: "timeout", error: "", resumeRejected: true, sessionId: "" }, facts)).toBe(false);
  });

  it("takes a failure without a session for a refused one where the agent cannot say it, unless its cause is another (K-30)", () => {
    const silent = { ...facts, silentResume: true };
    expect(mayRetryFresh(failed("exit status 1"), silent)).toBe(true);
    expect(mayRetryFresh(failed("something odd"), silent)).toBe(true);
    expect(mayRetryFresh(failed("exit status 1"), facts)).toBe(false);
    expect(mayRetryFresh({ ...failed("exit status 1"), sessionId: "s" }, silent)).toBe(false);
    for (const error of ["429 slow down", "503", "connection refused", "401", "402 credits", "model x not found", "timed out after 30s", "executable not found", "missing api_key"]) {
      expect(mayRetryFresh(failed(error), silent)).toBe(false);
    }
  });

  it("lets the second attempt stand only if it got anywhere (K-31)", () => {
    const first = { status: "failed" as const, sessionId: "", n: 1 };
    expect(standing(first, { status: "completed", sessionId: "", n: 2 } as never)).toMatchObject({ n: 2 });
    expect(standing(first, { status: "failed", sessionId: "s", n: 2 } as never)).toMatchObject({ n: 2 });
    expect(standing(first, { status: "failed", sessionId: "", n: 2 } as never)).toMatchObject({ n: 1 });
  });

  it("adds the usage of both attempts per model", () => {
    const one = { inputTokens: 1, outputTokens: 2, cacheReadTokens: 3, cacheWriteTokens: 4 };
    expect(addUsage({ m: one }, { m: { ...one, costUsdTicks: 7 }, n: one })).toEqual({
      m: { inputTokens: 2, outputTokens: 4, cacheReadTokens: 6, cacheWriteTokens: 8, costUsdTicks: 7 },
      n: one,
    });
  });
});

describe("usageRows", () => {
  it("drops rows of zeros and keeps the cost (K-38)", () => {
    const zero = { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0 };
    expect(usageRows("Codex", { a: zero })).toEqual([]);
    expect(usageRows("Codex", { a: { ...zero, inputTokens: 1.4 }, b: { ...zero, costUsdTicks: 5 } })).toEqual([
      { provider: "codex", model: "a", input_tokens: 1, output_tokens: 0, cache_read_tokens: 0, cache_write_tokens: 0 },
      { provider: "codex", model: "b", input_tokens: 0, output_tokens: 0, cache_read_tokens: 0, cache_write_tokens: 0, cost_usd_ticks: 5 },
    ]);
  });
});

describe("report bodies", () => {
  const known: Known = { ...nothingKnown(), workDir: "/w", ownWorkDir: true, sessionId: "s", branchName: "b", retiredSessionId: "old" };

  it("carry what is known and leave out what is not", () => {
    expect(completeBody(known, "out")).toEqual({ output: "out", session_id: "s", work_dir: "/w", branch_name: "b", retired_session_id: "old" });
    expect(failBody(nothingKnown(), "timeout", "late")).toEqual({ error: "late", failure_reason: "timeout" });
  });

  it("withhold a session whose file is missing", () => {
    expect(completeBody({ ...known, rolloutMissing: true }, "")).toEqual({
      output: "",
      work_dir: "/w",
      branch_name: "b",
      session_rollout_missing: true,
      retired_session_id: "old",
    });
  });

  it("tell a rejected completion with everything the run knows (K-35)", () => {
    expect(rejectedBody(known, new Error("POST /complete returned 409: conflict"))).toMatchObject({
      error: "complete task failed: POST /complete returned 409: conflict",
      failure_reason: "agent_error.unknown",
      session_id: "s",
      branch_name: "b",
    });
  });

  it("mask secrets in what they say", () => {
    expect(failBody(known, "x", "Bearer abcdefghijklmnop").error).toBe("Bearer [REDACTED]");
  });
});

describe("createReleases", () => {
  it("gives back in reverse order and past every failure", async () => {
    const order: string[] = [];
    const releases = createReleases(silentLogger);
    releases.add("a", () => void order.push("a"));
    releases.add("b", () => Promise.reject(new Error("no")));
    releases.add("c", () => void order.push("c"));
    await releases.run();
    await releases.run();
    expect(order).toEqual(["c", "a"]);
  });
});

describe("threadName", () => {
  const base = { id: "t", agent_id: "a", runtime_id: "r", workspace_id: "w", status: "x" };

  it("takes the first title there is, on one line, at most 120 characters", () => {
    expect(threadName({ ...base, thread_name: " ", trigger_comment_content: "fix\n\n the  bug" })).toBe("fix the bug");
    expect(threadName({ ...base, thread_name: "ü".repeat(130) })).toBe(`${"ü".repeat(117)}...`);
    expect(threadName(base)).toBe("");
  });
});

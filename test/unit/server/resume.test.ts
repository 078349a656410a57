import { describe, expect, it } from "vitest";
import { type ResumeRow, chooseResume } from "../../../src/lib/server/services/tasks/resume.ts";

const row = (change: Partial<ResumeRow> = {}): ResumeRow => ({
  status: "completed",
  failureReason: null,
  error: null,
  runtimeId: "R",
  sessionId: "S1",
  workDir: "/w1",
  sessionLost: false,
  ...change,
});
const older = row({ sessionId: "S0", workDir: "/w0" });
const NONE = { sessionId: null, workDir: null, unavailable: false };

describe("chooseResume", () => {
  it("has nothing to offer without an earlier session", () => {
    expect(chooseResume([], "R")).toEqual(NONE);
  });

  it.each([
    { name: "a completed run", change: {} },
    { name: "a cancelled run", change: { status: "cancelled" } },
    { name: "a run whose daemon restarted", change: { status: "failed", failureReason: "runtime_recovery" } },
    { name: "a run that timed out", change: { status: "failed", failureReason: "timeout", error: "task timed out" } },
    { name: "a rate limit", change: { status: "failed", failureReason: "agent_error.provider_capacity_or_rate_limit" } },
    { name: "an error 400 of another kind", change: { status: "failed", failureReason: "agent_error.unknown", error: "400 bad" } },
  ])("continues $name", ({ change }) => {
    expect(chooseResume([row(change), older], "R")).toEqual({ sessionId: "S1", workDir: "/w1", unavailable: false });
  });

  it.each([
    { name: "iteration limit", change: { failureReason: "iteration_limit" } },
    { name: "fallback message", change: { failureReason: "agent_fallback_message" } },
    { name: "invalid request", change: { failureReason: "api_invalid_request" } },
    { name: "inactive codex", change: { failureReason: "codex_semantic_inactivity" } },
    { name: "context overflow", change: { failureReason: "agent_error.context_overflow" } },
    { name: "oversized codex resume", change: { failureReason: "codex_resume_oversized" } },
    { name: "a refused history", change: { error: '400 {"type":"INVALID_REQUEST_ERROR"}' } },
    { name: "an empty assistant message", change: { error: "messages.4: content must not be empty" } },
    { name: "an oversized image", change: { error: "messages.3: image.source.base64.data: image dimensions exceed max allowed size" } },
    { name: "a lost login method", change: { error: "Could not resolve authentication method" } },
  ])("skips a failure by $name and takes the run before it", ({ change }) => {
    expect(chooseResume([row({ status: "failed", ...change }), older], "R")).toEqual({ sessionId: "S0", workDir: "/w0", unavailable: false });
  });

  it("lets the newest row of a session decide, not an earlier good one", () => {
    const rows = [row({ status: "failed", failureReason: "iteration_limit" }), row(), older];
    expect(chooseResume(rows, "R").sessionId).toBe("S0");
  });

  it("offers the directory but not the session on another runtime", () => {
    expect(chooseResume([row({ runtimeId: "other" })], "R")).toEqual({ sessionId: null, workDir: "/w1", unavailable: false });
  });

  it("says so when a newer session is gone from disk", () => {
    expect(chooseResume([row({ sessionLost: true })], "R")).toEqual({ ...NONE, unavailable: true });
    expect(chooseResume([row({ sessionLost: true }), older], "R")).toEqual({ sessionId: "S0", workDir: "/w0", unavailable: true });
  });

  it("does not offer the session of a run that still goes on", () => {
    expect(chooseResume([row({ status: "running" })], "R")).toEqual(NONE);
  });
});

import { describe, expect, it } from "vitest";
import { type RetryFacts, decideRetry } from "../../../src/lib/server/services/tasks/retry.ts";

const facts: RetryFacts = {
  reason: "timeout",
  attempt: 1,
  maxAttempts: 2,
  issueId: "issue",
  chatSessionId: null,
  autopilotRunId: null,
  agentRuntimeId: "runtime",
  agentArchived: false,
};

describe("decideRetry", () => {
  const retried = ["runtime_offline", "runtime_recovery", "timeout", "agent_error.provider_network", "skill_bundle_unavailable"];
  it.each(retried)("retries %s once and lets the session go on", (reason) => {
    expect(decideRetry({ ...facts, reason })).toMatchObject({ kind: "retry", attempt: 2, fresh: false });
  });

  it("retries an inactive codex with a new session", () => {
    expect(decideRetry({ ...facts, reason: "codex_semantic_inactivity" })).toEqual({ kind: "retry", attempt: 2, fresh: true, delayMs: 0 });
  });

  const final = [
    "queued_expired",
    "runtime_reconnect_timeout",
    "iteration_limit",
    "agent_blocked",
    "api_invalid_request",
    "agent_error",
    "agent_error.unknown",
    "agent_error.provider_capacity_or_rate_limit",
    "agent_error.process_failure",
    "cancelled",
    "never_heard_of",
    "",
  ];
  it.each(final)("does not retry %j", (reason) => {
    expect(decideRetry({ ...facts, reason })).toEqual({ kind: "none", why: "reason" });
  });

  it.each([
    { name: "the budget is used up", change: { attempt: 2 }, why: "budget" },
    { name: "retries are turned off", change: { maxAttempts: 1 }, why: "budget" },
    { name: "the third network attempt failed", change: { reason: "agent_error.provider_network", attempt: 3 }, why: "budget" },
    { name: "retries are off, network failures too", change: { reason: "agent_error.provider_network", maxAttempts: 1 }, why: "budget" },
    { name: "an autopilot started the run", change: { autopilotRunId: "run" }, why: "not_repeatable" },
    { name: "there is neither issue nor chat", change: { issueId: null }, why: "not_repeatable" },
    { name: "the agent is archived", change: { agentArchived: true }, why: "agent" },
    { name: "the agent has no runtime", change: { agentRuntimeId: null }, why: "agent" },
  ])("does not retry when $name", ({ change, why }) => {
    expect(decideRetry({ ...facts, ...change })).toEqual({ kind: "none", why });
  });

  it("gives network failures a third attempt", () => {
    expect(decideRetry({ ...facts, reason: "agent_error.provider_network", attempt: 2 })).toMatchObject({ kind: "retry", attempt: 3 });
  });

  it.each([
    { name: "the last attempt at a network 5 s", change: { reason: "agent_error.provider_network", attempt: 2 }, delayMs: 5000 },
    { name: "an earlier one not at all", change: { reason: "agent_error.provider_network" }, delayMs: 0 },
    { name: "a task whose runtime went away 1 s", change: { reason: "runtime_offline" }, delayMs: 1000 },
    { name: "any other not at all", change: {}, delayMs: 0 },
  ])("delays $name", ({ change, delayMs }) => {
    expect(decideRetry({ ...facts, ...change })).toMatchObject({ kind: "retry", delayMs });
  });

  it("retries a chat task", () => {
    expect(decideRetry({ ...facts, issueId: null, chatSessionId: "chat" })).toMatchObject({ kind: "retry" });
  });
});

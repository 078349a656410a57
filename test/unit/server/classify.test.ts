import { describe, expect, it } from "vitest";
import { classifyFailure } from "../../../src/lib/core/index.ts";
import { storedReason } from "../../../src/lib/server/services/tasks/classify.ts";

describe("classifyFailure", () => {
  it.each([
    ["", "unknown"],
    ["   \n", "unknown"],
    ["something odd", "unknown"],
    ["This model's maximum context is 200000", "context_overflow"],
    ["token limit reached, status 429", "context_overflow"],
    ["Missing environment variable: `FOO`", "missing_config"],
    ["missing OPENAI_API_KEY", "missing_config"],
    ["API key is required", "missing_config"],
    ["401 Unauthorized, rate limit", "provider_auth_or_access"],
    ["request id 94031 went wrong", "unknown"],
    ["You’ve hit your limit", "provider_quota_limit"],
    ["402", "provider_quota_limit"],
    ["API Error: 429 too many", "provider_capacity_or_rate_limit"],
    ["Overloaded", "provider_capacity_or_rate_limit"],
    ["exit status 1: 503", "provider_server_error"],
    ["line 5031", "unknown"],
    ["request timed out after 30s: i/o timeout", "provider_network"],
    ["connect ECONNREFUSED: connection refused", "provider_network"],
    ["model gpt-9 not found", "model_not_found_or_unavailable"],
    ["codex returned empty output", "empty_or_unparseable_output"],
    ["agent timed out after 2h", "agent_timeout"],
    ["executable not found: claude", "runtime_missing_executable"],
    ["1.0.0 is below the minimum supported version", "runtime_version_unsupported"],
    ["exit status 2", "process_failure"],
    ["killed by signal 9", "process_failure"],
  ])("reads %j as %s", (text, detail) => {
    expect(classifyFailure(text)).toBe(`agent_error.${detail}`);
  });
});

describe("storedReason", () => {
  it.each([
    { name: "keeps a reason it knows", reported: "timeout", text: "401", stored: "timeout" },
    { name: "keeps a reason it has never heard of", reported: "made_up", text: "429", stored: "made_up" },
    { name: "classifies when there is none", reported: "", text: "API Error: 429", stored: "agent_error.provider_capacity_or_rate_limit" },
    { name: "sees a context overflow behind a vague word", reported: "agent_error.unknown", text: "prompt is too long", stored: "agent_error.context_overflow" },
    { name: "leaves a vague word without that proof", reported: "agent_error.unknown", text: "exit status 1", stored: "agent_error.unknown" },
    { name: "names a bundle failure", reported: "agent_error", text: "resolve skill bundles: 503", stored: "skill_bundle_unavailable" },
    { name: "names a broken stream", reported: "agent_error.process_failure", text: "OpenCode stream ended early", stored: "agent_error.provider_network" },
    { name: "names a CLI that hangs", reported: "", text: "prepare openclaw config: context deadline exceeded", stored: "runtime_cli_timeout" },
  ])("$name", ({ reported, text, stored }) => {
    expect(storedReason(reported, text)).toBe(stored);
  });
});

import { describe, expect, it } from "vitest";
import { classifyFailure, giveUpReason, isPoisonedError, isUnresumableHistory } from "../../../src/lib/core/index.ts";

describe("classifyFailure", () => {
  const cases: [text: string, detail: string][] = [
    ["", "unknown"],
    ["   ", "unknown"],
    ["something odd", "unknown"],
    ["Prompt is too long", "context_overflow"],
    ["token limit reached, HTTP 429", "context_overflow"],
    ["Missing environment variable OPENAI_KEY", "missing_config"],
    ["No LLM provider configured", "missing_config"],
    ["an API key is required", "missing_config"],
    ["HTTP 401: rate limit", "provider_auth_or_access"],
    ["code 4010", "unknown"],
    ["You've hit your limit", "provider_quota_limit"],
    ["You’ve hit your limit", "provider_quota_limit"],
    ["status 402", "provider_quota_limit"],
    ["529 overloaded", "provider_capacity_or_rate_limit"],
    ["exit status 1: 503", "provider_server_error"],
    ["id 15031 failed", "unknown"],
    ["request timed out after 30s: i/o timeout", "provider_network"],
    ["dial tcp 127.0.0.1: refused", "provider_network"],
    ["model gpt-9 not found", "model_not_found_or_unavailable"],
    ["agent returned no parseable output", "empty_or_unparseable_output"],
    ["codex timed out after 1m", "agent_timeout"],
    ['codex executable not found at "/x"', "runtime_missing_executable"],
    ["this requires a newer version of the daemon", "runtime_version_unsupported"],
    ["exit status 2", "process_failure"],
    ["signal: SIGKILL", "process_failure"],
  ];
  it.each(cases)("reads %j as %s", (text, detail) => {
    expect(classifyFailure(text)).toBe(`agent_error.${detail}`);
  });
});

describe("giveUpReason", () => {
  it("recognises short give-up notices in any case", () => {
    expect(giveUpReason("I reached the iteration limit.")).toBe("iteration_limit");
    expect(giveUpReason("  Put your final update inside the content string ")).toBe("agent_fallback_message");
    expect(giveUpReason("Conversation too long. Press Esc twice to go back.")).toBe("agent_error.context_overflow");
  });

  it("leaves a long answer that quotes a notice alone, counting characters and not bytes", () => {
    expect(giveUpReason(`I reached the iteration limit. ${"ä".repeat(289)}`)).toBe("iteration_limit");
    expect(giveUpReason(`I reached the iteration limit. ${"x".repeat(2000)}`)).toBeUndefined();
    expect(giveUpReason("all done")).toBeUndefined();
  });
});

describe("isPoisonedError", () => {
  it("needs both halves of a marker", () => {
    expect(isPoisonedError("API Error: 400 invalid_request_error")).toBe(true);
    expect(isPoisonedError("invalid_request_error")).toBe(false);
    expect(isPoisonedError("messages.3: content must not be empty")).toBe(true);
    expect(isPoisonedError("the field must not be empty")).toBe(false);
    expect(isPoisonedError("image dimensions exceed max allowed size at image.source.base64.data")).toBe(true);
  });

  it("finds the message an unresumable history names", () => {
    expect(isUnresumableHistory("message with role 'assistant' must be non-empty")).toBe(true);
    expect(isUnresumableHistory("messages[2] should not be empty")).toBe(true);
    expect(isUnresumableHistory("non-empty content is wanted")).toBe(false);
  });
});

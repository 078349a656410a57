/** What is wrong with an agent's run, as a word other parts of the system may decide on (server-api.md 12.1). */
export type FailureReason = string;

interface ClassRule {
  readonly detail: string;
  readonly matches: (text: string) => boolean;
}

/** First match wins; the order is the contract: `token limit … 429` is an overflow, `401 … rate limit` is auth. */
const RULES: readonly ClassRule[] = [
  {
    detail: "context_overflow",
    matches: (text) =>
      anyOf(text, [
        "context length",
        "context_length_exceeded",
        "maximum context",
        "prompt is too long",
        "context size has been exceeded",
        "context window limit",
        "model_context_window_exceeded",
        "prompt_too_long",
      ]) || allOf(text, ["token", "limit"]),
  },
  {
    detail: "missing_config",
    matches: (text) =>
      anyOf(text, ["missing environment variable", "no llm provider configured", "no provider configured"]) ||
      allOf(text, ["missing", "api_key"]) ||
      allOf(text, ["api key", "required"]),
  },
  {
    detail: "provider_auth_or_access",
    matches: (text) =>
      hasNumber(text, "40[13]") ||
      anyOf(text, [
        "unauthorized",
        "login required",
        "not logged in",
        "please login again",
        "refresh token",
        "invalid api key",
        "access token",
        "subscription access",
        "does not have access",
        "you may not have access",
      ]),
  },
  {
    detail: "provider_quota_limit",
    matches: (text) =>
      hasNumber(text, "402") ||
      anyOf(text, [
        "insufficient_balance",
        "balance is too low",
        "monthly usage limit",
        "usage limit",
        "you've hit your limit",
        "you’ve hit your limit",
        "credits",
        "quota",
      ]),
  },
  {
    detail: "provider_capacity_or_rate_limit",
    matches: (text) => hasNumber(text, "429|529") || anyOf(text, ["rate limit", "overloaded", "no capacity available"]),
  },
  {
    detail: "provider_server_error",
    matches: (text) =>
      anyOf(text, ["server had an error", "provider returned error", "internal error", "service unavailable", "bad gateway"]) ||
      hasNumber(text, "5\\d\\d"),
  },
  {
    detail: "provider_network",
    matches: (text) =>
      anyOf(text, [
        "stream disconnected",
        "error sending request",
        "unable to connect",
        "dial tcp",
        "connection refused",
        "connectionrefused",
        "dns",
        "i/o timeout",
        "opencode stream ended",
        "connection closed",
        "mid-response",
        "deadline exceeded",
        "timeout exceeded while awaiting",
      ]),
  },
  {
    detail: "model_not_found_or_unavailable",
    matches: (text) => allOf(text, ["model", "not found"]) || anyOf(text, ["unknown model", "selected model", "http 404", "404 page not found"]),
  },
  { detail: "empty_or_unparseable_output", matches: (text) => anyOf(text, ["returned empty output", "returned no parseable output"]) },
  { detail: "agent_timeout", matches: (text) => text.includes("timed out after") },
  { detail: "runtime_missing_executable", matches: (text) => anyOf(text, ["executable not found", "exec format error"]) },
  {
    detail: "runtime_version_unsupported",
    matches: (text) => anyOf(text, ["below the minimum supported version", "requires a newer version"]),
  },
  {
    detail: "process_failure",
    matches: (text) =>
      anyOf(text, [
        "exit status",
        "signal",
        "panic",
        "sigsegv",
        "process exited",
        "pipe has been ended",
        "file already closed",
        "initialize failed",
        "start codex:",
      ]),
  },
];

/**
 * The reason `agent_error.<detail>` for an error text; an empty or unknown text gives `agent_error.unknown`.
 * Client and server use the same table, so that a failure without a reason ends up as the same word (server-api.md 12.3).
 */
export function classifyFailure(errorText: string): FailureReason {
  const text = errorText.trim().toLowerCase();
  const rule = text === "" ? undefined : RULES.find((candidate) => candidate.matches(text));
  return `agent_error.${rule?.detail ?? "unknown"}`;
}

const MARKER_CHARACTERS = 320;

/**
 * The reason when a final output is nothing but a give-up notice, else undefined (server-api.md 12.5).
 * Only short outputs are looked at: a long answer that quotes such a notice is an answer.
 */
export function giveUpReason(output: string): FailureReason | undefined {
  const trimmed = output.trim();
  if ([...trimmed].length > MARKER_CHARACTERS) return undefined;
  const text = trimmed.toLowerCase();
  if (text.includes("i reached the iteration limit")) return "iteration_limit";
  if (text.includes("put your final update inside the content string")) return "agent_fallback_message";
  const exhausted =
    allOf(text, ["prompt is too long", "cannot be compacted"]) ||
    allOf(text, ["conversation too long", "press esc twice"]) ||
    allOf(text, ["compaction failed", "reduced below the context limit"]);
  return exhausted ? "agent_error.context_overflow" : undefined;
}

/** True when the provider refused the recorded conversation itself: no resume of it can ever succeed (daemon.md 11.14). */
export function isUnresumableHistory(errorText: string): boolean {
  const text = errorText.toLowerCase();
  const empty = anyOf(text, [
    "must not be empty",
    "must be nonempty",
    "must be non-empty",
    "must have nonempty",
    "must have non-empty",
    "nonempty content",
    "non-empty content",
    "cannot be empty",
    "should not be empty",
  ]);
  if (!empty) return false;
  return /role[^a-z0-9]{0,2}assistant/.test(text) || anyOf(text, ["assistant message", "message at position"]) || /messages(?:\.\d|\[\d)/.test(text);
}

/** True when the request itself was invalid for the provider, so that repeating it in the same session repeats the error. */
export function isPoisonedError(errorText: string): boolean {
  const text = errorText.toLowerCase();
  return (
    allOf(text, ["400", "invalid_request_error"]) ||
    allOf(text, ["image dimensions exceed max allowed size", "image.source.base64.data"]) ||
    isUnresumableHistory(text)
  );
}

function anyOf(text: string, needles: readonly string[]): boolean {
  return needles.some((needle) => text.includes(needle));
}

function allOf(text: string, needles: readonly string[]): boolean {
  return needles.every((needle) => text.includes(needle));
}

/** A status number that is not part of a longer number: `4010` is no `401`. */
function hasNumber(text: string, pattern: string): boolean {
  return new RegExp(`(?<!\\d)(?:${pattern})(?!\\d)`).test(text);
}

type Rule = readonly [reason: string, ...tests: ((text: string) => boolean)[]];

const has =
  (...parts: string[]) =>
  (text: string): boolean =>
    parts.every((part) => text.includes(part));

/** A status number that is not part of a longer number. */
const status =
  (pattern: string) =>
  (text: string): boolean =>
    new RegExp(`(?<!\\d)(?:${pattern})(?!\\d)`).test(text);

const any = (...parts: string[]): ((text: string) => boolean)[] => parts.map((part) => has(part));

/** First match wins; the order carries meaning (server-api.md 12.3). */
const RULES: readonly Rule[] = [
  [
    "context_overflow",
    ...any("context length", "context_length_exceeded", "maximum context", "prompt is too long", "prompt_too_long"),
    ...any("context size has been exceeded", "context window limit", "model_context_window_exceeded"),
    has("token", "limit"),
  ],
  [
    "missing_config",
    ...any("missing environment variable", "no llm provider configured", "no provider configured"),
    has("missing", "api_key"),
    has("api key", "required"),
  ],
  [
    "provider_auth_or_access",
    status("401|403"),
    ...any("unauthorized", "login required", "not logged in", "please login again", "refresh token", "invalid api key"),
    ...any("access token", "subscription access", "does not have access", "you may not have access"),
  ],
  [
    "provider_quota_limit",
    status("402"),
    ...any("insufficient_balance", "balance is too low", "monthly usage limit", "usage limit", "credits", "quota"),
    ...any("you've hit your limit", "you’ve hit your limit"),
  ],
  ["provider_capacity_or_rate_limit", status("429|529"), ...any("rate limit", "overloaded", "no capacity available")],
  [
    "provider_server_error",
    ...any("server had an error", "provider returned error", "internal error", "service unavailable", "bad gateway"),
    status("5\\d\\d"),
  ],
  [
    "provider_network",
    ...any("stream disconnected", "error sending request", "unable to connect", "dial tcp", "connection refused"),
    ...any("connectionrefused", "dns", "i/o timeout", "opencode stream ended", "connection closed", "mid-response"),
    ...any("deadline exceeded", "timeout exceeded while awaiting"),
  ],
  [
    "model_not_found_or_unavailable",
    has("model", "not found"),
    ...any("unknown model", "selected model", "http 404", "404 page not found"),
  ],
  ["empty_or_unparseable_output", ...any("returned empty output", "returned no parseable output")],
  ["agent_timeout", has("timed out after")],
  ["runtime_missing_executable", ...any("executable not found", "exec format error")],
  ["runtime_version_unsupported", ...any("below the minimum supported version", "requires a newer version")],
  [
    "process_failure",
    ...any("exit status", "signal", "panic", "sigsegv", "process exited", "pipe has been ended"),
    ...any("file already closed", "initialize failed", "start codex:"),
  ],
];

/**
 * The reason `agent_error.<detail>` for an error text; an empty or unknown text gives `agent_error.unknown`.
 * Client and server use the same table, so that a failure without a reason ends up as the same word (server-api.md 12.3).
 */
export function classifyFailure(errorText: string): string {
  const text = errorText.trim().toLowerCase();
  const rule = text === "" ? undefined : RULES.find(([, ...tests]) => tests.some((test) => test(text)));
  return `agent_error.${rule?.[0] ?? "unknown"}`;
}

const MARKER_CHARACTERS = 320;

/**
 * The reason when a final output is nothing but a give-up notice, else undefined (server-api.md 12.5).
 * Only short outputs are looked at: a long answer that quotes such a notice is an answer.
 */
export function giveUpReason(output: string): string | undefined {
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

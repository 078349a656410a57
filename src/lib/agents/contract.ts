/** What an agent said or did, in the order it happened (agents.md 2.2). */
export type AgentMessage =
  | { readonly kind: "text"; readonly content: string }
  | { readonly kind: "thinking"; readonly content: string }
  | {
      readonly kind: "tool_use";
      readonly tool: string;
      readonly callId: string;
      readonly input?: Readonly<Record<string, unknown>>;
    }
  | {
      readonly kind: "tool_result";
      /** Empty when the protocol does not repeat it: the reader takes it from the use with the same call id. */
      readonly tool: string;
      readonly callId: string;
      readonly output: string;
      readonly status?: string;
    }
  /** A non-empty session id here may be pinned before the run ends. */
  | { readonly kind: "status"; readonly status: "running"; readonly sessionId: string }
  /** Shown in the transcript; does not decide the result. */
  | { readonly kind: "error"; readonly content: string }
  /** Diagnostics, never forwarded to the transcript. */
  | { readonly kind: "log"; readonly level: LogLevel; readonly content: string };

export type LogLevel = "debug" | "info" | "warn" | "error";

/** Uncached input, output, cache read and cache write tokens of one model (agents.md 8). */
export interface ModelUsage {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cacheReadTokens: number;
  readonly cacheWriteTokens: number;
  /** Integer count of 10⁻¹⁰ USD. */
  readonly costUsdTicks?: number;
}

/** Model id → usage; empty when nothing is known (never a row of zeros). */
export type UsageMap = Readonly<Record<string, ModelUsage>>;

export type AgentStatus = "completed" | "failed" | "aborted" | "timeout";

/** How a process ended: exactly one of the two is set; both null when it could not be learned. */
export interface ExitFacts {
  readonly code: number | null;
  readonly signal: string | null;
}

/** The one result of a run (agents.md 2.3). */
export interface AgentResult {
  readonly status: AgentStatus;
  /** The agent's answer. */
  readonly output: string;
  /** Human text; empty exactly when `status` is `completed`. */
  readonly error: string;
  readonly durationMs: number;
  /** Handle for a later resume. Empty has a meaning: do not resume this again (agents.md 10). */
  readonly sessionId: string;
  readonly usage: UsageMap;
  /** The agent itself said that the requested session cannot be continued. */
  readonly resumeRejected: boolean;
  /** Null when the process had not ended by the time the result stood. */
  readonly exit: ExitFacts | null;
}

/** What one run is asked to do (agents.md 2.4); the same value goes to the argv builder and to the reducer. */
export interface RunOptions {
  readonly cwd: string;
  readonly prompt: string;
  /** Absent: the agent's own default. */
  readonly model?: string;
  /** Only for agents that read no context file (agents.md 11). */
  readonly systemPrompt?: string;
  readonly threadName?: string;
  readonly thinkingLevel?: string;
  readonly serviceTier?: string;
  /** The agent record carries its own MCP servers: the user's are not consulted (agents.md 7). */
  readonly managedMcp?: boolean;
  /** Those servers as the record has them, for agents that take them with their session. */
  readonly mcpConfig?: unknown;
  readonly resumeSessionId?: string;
  /** The conversation should continue an earlier one … */
  readonly resumeExpected?: boolean;
  /** … and this text goes before the prompt when the session turned out to be fresh. */
  readonly continuityNotice?: string;
  readonly timeouts?: ReducerTimeouts;
  /** For diagnostics only, never for behaviour. */
  readonly cliVersion?: string;
}

/** Limits a reducer watches itself, in milliseconds; absent = the family's default, 0 = off. */
export interface ReducerTimeouts {
  /** Each step before the turn runs. */
  readonly handshakeMs?: number;
  readonly firstTurnMs?: number;
  readonly semanticInactivityMs?: number;
}

/** The wording the failure classifier keys on: `exit status <n>` or `signal: <name>` (agents.md 6.5). */
export function exitText(exit: ExitFacts): string {
  if (exit.signal !== null) return `signal: ${exit.signal}`;
  return exit.code === null ? "exit status unknown" : `exit status ${exit.code}`;
}

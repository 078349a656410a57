type Env = Readonly<Record<string, string>>;

/** Marks of a surrounding agent: one that starts inside another behaves differently. Other CLAUDE_CODE_* are settings. */
const SESSION_MARKS = new Set(["CLAUDECODE", "CLAUDE_CODE_ENTRYPOINT", "CLAUDE_CODE_EXECPATH", "CLAUDE_CODE_SESSION_ID", "CLAUDE_CODE_SSE_PORT"]);

/** Names an agent's own environment may not set: they are the daemon's to decide. */
const REFUSED = new Set([
  "HOME",
  "PATH",
  "USER",
  "SHELL",
  "TERM",
  "TMPDIR",
  "TMP",
  "TEMP",
  "CODEX_HOME",
  "CURSOR_DATA_DIR",
  "OPENCLAW_CONFIG_PATH",
  "OPENCLAW_INCLUDE_ROOTS",
  "REASONIX_STATE_HOME",
]);

/**
 * The agent's whole environment (agents.md 4.5): what we inherited without marks of another agent and without any
 * `MULTICA_*` (the daemon's own credentials), then the provider's and the task's variables; the last one wins.
 */
export function agentEnvironment(parts: { inherited: Env; provider: Env; task: Env }): Record<string, string> {
  const clean: Record<string, string> = {};
  for (const [name, value] of Object.entries(parts.inherited)) if (!isBlocked(name)) clean[name] = value;
  return { ...clean, ...parts.provider, ...parts.task };
}

/** The agent record's custom environment without the names it may not set; `refused` lists those names. */
export function filterCustomEnvironment(custom: Env): { env: Record<string, string>; refused: string[] } {
  const env: Record<string, string> = {};
  const refused: string[] = [];
  for (const [name, value] of Object.entries(custom)) {
    const upper = name.toUpperCase();
    if (upper.startsWith("MULTICA_") || REFUSED.has(upper) || !isName(name)) refused.push(name);
    else env[name] = value;
  }
  return { env, refused };
}

function isBlocked(name: string): boolean {
  const upper = name.toUpperCase();
  return SESSION_MARKS.has(name) || name.startsWith("CLAUDECODE_") || upper.startsWith("MULTICA_");
}

/** A name that an environment can hold at all. */
function isName(name: string): boolean {
  return name !== "" && !/[=\0]/.test(name);
}

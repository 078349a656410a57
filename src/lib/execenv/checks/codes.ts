import type { Fix, Severity } from "./types.ts";

interface CodeFacts {
  readonly severity: Severity;
  readonly fix: Fix;
  /** An agent must not be started in an environment that still has this: Prepare fails, Reuse declines. */
  readonly fatal?: true;
  readonly hint?: string;
}

const RESET = "Correct the file, or heal with --reset-config.";

/** Every code there is (execenv.md 17), with what it means for the environment. */
export const CODES = {
  ROOT_MARKER_MISSING: { severity: "warn", fix: "auto" },
  ROOT_MARKER_FOREIGN: { severity: "error", fix: "manual", hint: "Move that file away: it was not written by this product." },
  ENV_SYMLINKED: { severity: "error", fix: "manual", fatal: true, hint: "Remove the link: nothing is read or written behind it." },
  ENV_WORKDIR_MISSING: { severity: "warn", fix: "manual", hint: "The next task prepares afresh; `multica execenv clean` removes what is left." },
  ENV_SCRATCH_MISSING: { severity: "info", fix: "auto" },
  ENV_CONFIG_ROOT_MODE: { severity: "warn", fix: "auto" },
  ENV_OWNER_UNKNOWN: { severity: "warn", fix: "manual", hint: "Nothing tells which task made it; `multica execenv clean` removes it." },
  ENV_RECORD_MISSING: { severity: "info", fix: "auto" },
  ENV_PROVENANCE_MISSING: { severity: "warn", fix: "auto" },
  ENV_PROVENANCE_MISMATCH: { severity: "error", fix: "manual", hint: "Its files name different conversations: no task will continue in it." },
  ENV_META_CORRUPT: { severity: "warn", fix: "auto" },
  MARK_MISSING: { severity: "warn", fix: "auto" },
  MARK_CORRUPT: { severity: "warn", fix: "auto" },
  MARK_FOREIGN: { severity: "error", fix: "manual", hint: "Move that file away: it was not written by this product." },
  CH_MISSING: { severity: "error", fix: "auto", fatal: true },
  CH_DIR_MODE: { severity: "error", fix: "auto", fatal: true },
  CH_SELF_SHARED: { severity: "error", fix: "auto" },
  CH_SHARED_DIFFERS: { severity: "info", fix: "none" },
  CH_SESSIONS_MISSING: { severity: "error", fix: "auto" },
  CH_SESSIONS_BROKEN: { severity: "error", fix: "auto" },
  CH_SESSIONS_WRONG_TARGET: { severity: "warn", fix: "auto" },
  CH_SESSIONS_REAL_DIR: { severity: "warn", fix: "flag", hint: "Heal with --adopt-sessions to move its rollouts into the shared history." },
  CH_SESSIONS_NOT_DIR: { severity: "error", fix: "auto" },
  CH_SESSIONS_LEGACY_LINK: { severity: "warn", fix: "auto" },
  CH_AUTH_MISSING: { severity: "error", fix: "auto" },
  CH_AUTH_BROKEN: { severity: "error", fix: "auto" },
  CH_AUTH_WRONG_TARGET: { severity: "warn", fix: "auto" },
  CH_AUTH_STALE_COPY: { severity: "warn", fix: "auto" },
  CH_AUTH_DIVERGED_COPY: { severity: "warn", fix: "auto" },
  CH_AUTH_NOT_FILE: { severity: "error", fix: "auto" },
  CH_AUTH_SOURCE_MISSING: { severity: "info", fix: "manual", hint: "Sign in with `codex login`, unless Codex gets its key from elsewhere." },
  CH_CONFIG_MISSING: { severity: "error", fix: "auto", fatal: true },
  CH_CONFIG_SYMLINK: { severity: "error", fix: "auto", fatal: true },
  CH_CONFIG_NOT_FILE: { severity: "error", fix: "auto", fatal: true },
  CH_CONFIG_UNPARSEABLE: { severity: "error", fix: "flag", fatal: true, hint: RESET },
  CH_CONFIG_UNREADABLE: { severity: "error", fix: "manual", fatal: true, hint: "Give yourself the right to read and write it." },
  CH_CONFIG_SHARED_UNPARSEABLE: { severity: "error", fix: "manual", hint: "Correct the user's own config.toml." },
  CH_CONFIG_BLOCK_MISSING: { severity: "warn", fix: "auto", fatal: true },
  CH_CONFIG_BLOCK_OUTDATED: { severity: "warn", fix: "auto", fatal: true },
  CH_CONFIG_BLOCK_DUPLICATE: { severity: "warn", fix: "auto", fatal: true },
  CH_CONFIG_BLOCK_MISPLACED: { severity: "warn", fix: "auto", fatal: true },
  CH_CONFIG_BLOCK_FOREIGN: { severity: "info", fix: "auto" },
  CH_CONFIG_CONFLICT_KEY: { severity: "warn", fix: "auto", fatal: true },
  CH_CONFIG_SKILLS_ENTRY: { severity: "warn", fix: "auto" },
  CH_CONFIG_MODE: { severity: "warn", fix: "auto" },
  CH_CONFIG_RESET: { severity: "info", fix: "flag" },
  CH_COPY_MISSING: { severity: "info", fix: "auto" },
  CH_COPY_NOT_FILE: { severity: "warn", fix: "auto" },
  CH_COPY_UNREADABLE: { severity: "error", fix: "manual", hint: "Give yourself the right to read and write it." },
  CH_REF_MISSING: { severity: "error", fix: "auto", fatal: true },
  CH_REF_OUTSIDE: { severity: "error", fix: "manual", fatal: true, hint: "Correct that key in the Codex configuration." },
  CH_PLUGIN_CACHE: { severity: "warn", fix: "auto" },
  CH_MODELS_CACHE_UNBOUND: { severity: "info", fix: "auto" },
  CH_SKILLS_NOT_DIR: { severity: "warn", fix: "auto" },
  CH_SKILL_USER: { severity: "info", fix: "auto" },
  SIDE_LEFTOVER: { severity: "warn", fix: "flag", hint: "Heal with --local to take our files out of that directory." },
  SIDE_MANIFEST_CORRUPT: { severity: "error", fix: "manual", hint: "Remove .multica and .agent_context from that directory by hand, then this file." },
  WT_STALE: { severity: "info", fix: "auto" },
  WT_PRESERVED: { severity: "warn", fix: "manual", hint: "Save what is in it, then remove it with `git worktree remove`." },
  REPO_WORKTREE_BROKEN: { severity: "warn", fix: "manual", hint: "Check the repository out anew with `multica repo checkout`; the files stay here." },
  TMP_DEAD: { severity: "info", fix: "manual", hint: "`multica execenv gc --temp` removes it." },
  CH_TEMP_LEFTOVER: { severity: "info", fix: "auto" },
  CH_BACKUP_NOT_DIR: { severity: "warn", fix: "auto" },
  CHECK_FAILED: { severity: "error", fix: "manual", hint: "Look at the error: rights, a full disk, or a file system that is gone." },
} as const satisfies Record<string, CodeFacts>;

export type Code = keyof typeof CODES;

export function isFindingCode(text: string): boolean {
  return Object.hasOwn(CODES, text);
}

/** True when no agent may be started while this finding stands. */
export function isFatal(code: string): boolean {
  const known: CodeFacts | undefined = Object.hasOwn(CODES, code) ? CODES[code as Code] : undefined;
  return known?.fatal === true;
}

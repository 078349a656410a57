import type { Clock, FileLock } from "../platform/index.ts";
import type { Logger } from "../platform/logger.ts";
import type { PlacedSkill, SkillFact } from "./skills/index.ts";

/** A repository the agent may check out with `multica repo checkout`. */
export interface RepoFact {
  readonly url: string;
  readonly description?: string | undefined;
  /** Default branch, tag or commit. */
  readonly ref?: string | undefined;
}

export interface ProjectResource {
  readonly id: string;
  readonly type: string;
  /** Raw JSON of the resource, as the server sent it. */
  readonly ref: unknown;
  readonly label?: string | undefined;
}

export interface ProjectFact {
  readonly id?: string | undefined;
  readonly title?: string | undefined;
  readonly description?: string | undefined;
  readonly resources: readonly ProjectResource[];
}

/** A status that the workspace has besides the usual ones. */
export interface StatusFact {
  readonly key: string;
  readonly name: string;
  readonly category: string;
  readonly description?: string | undefined;
}

export interface AutopilotFact {
  readonly runId: string;
  readonly id?: string | undefined;
  readonly title?: string | undefined;
  readonly description?: string | undefined;
  readonly source?: string | undefined;
  /** Raw JSON or text of what triggered the run. */
  readonly payload?: unknown;
}

/**
 * What the task is about, taken from the claim (execenv.md 3). Every field may be missing;
 * a missing one always gives the careful rendering.
 */
export interface TaskContext {
  readonly issueId?: string | undefined;
  readonly chatSessionId?: string | undefined;
  readonly triggerCommentId?: string | undefined;
  readonly handoffNote?: string | undefined;
  readonly quickCreatePrompt?: string | undefined;
  readonly autopilot?: AutopilotFact | undefined;
  readonly agentId?: string | undefined;
  readonly agentName?: string | undefined;
  readonly agentInstructions?: string | undefined;
  readonly skills?: readonly SkillFact[] | undefined;
  readonly squadLeader?: boolean | undefined;
  readonly statuses?: { readonly known: readonly StatusFact[]; readonly omitted: number } | undefined;
  readonly repos?: readonly RepoFact[] | undefined;
  readonly project?: ProjectFact | undefined;
  readonly workspaceContext?: string | undefined;
  readonly requestingUser?: { readonly name: string; readonly profile: string } | undefined;
}

/** A skill of the agent's own program that its owner switched off. */
export interface DisabledSkill {
  readonly root: "provider" | "universal";
  /** Path below that root. */
  readonly key: string;
}

/** Facts about the machine and the daemon's own process. */
export interface HostFacts {
  /** The daemon's environment; read for `CODEX_HOME` and `MULTICA_CODEX_SANDBOX`. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The user's home directory. */
  readonly home: string;
  readonly platform: "linux" | "darwin" | "windows";
}

export interface PrepareInput {
  readonly workspacesRoot: string;
  readonly workspaceId: string;
  readonly taskId: string;
  readonly provider: string;
  /** Version of the agent CLI, as probed; empty or missing = unknown. */
  readonly cliVersion?: string | undefined;
  /** The agent's session that the task wants to continue; isolated Codex sessions have to hold it. */
  readonly priorSessionId?: string | undefined;
  /** A user's own directory to work in, validated (`checkLocalDirectory`); absent: the environment has a workdir of its own. */
  readonly localWorkDir?: string | undefined;
  /**
   * Instead of `localWorkDir`: a user's own directory that others may be at work in. Nothing of ours is put there: context
   * files and skills lie in the env root, and the brief is the caller's to hand over.
   */
  readonly sharedWorkDir?: string | undefined;
  /** With `localWorkDir`: work in a git worktree of it, which `endLocalWork` ends; absent: in the directory itself. */
  readonly worktree?: { readonly clock: Clock; readonly signal?: AbortSignal | undefined } | undefined;
  /** Name of the daemon's profile; absent or empty: the default one. */
  readonly profile?: string | undefined;
  /** The agent's `mcp_config` as it came; null or absent: not managed, the user's own servers apply. */
  readonly mcpConfig?: unknown;
  readonly disabledSkills?: readonly DisabledSkill[] | undefined;
  /** The setting `repo_checkout_mode`; `auto` or absent: what the provider needs. */
  readonly checkoutMode?: "auto" | "isolated" | "linked" | undefined;
  readonly task: TaskContext;
  readonly host: HostFacts;
  /** Epoch milliseconds. */
  readonly now: () => number;
  readonly logger: Logger;
}

export interface ReuseInput extends PrepareInput {
  /** `prior_work_dir` of the claim. */
  readonly priorWorkDir: string;
}

export interface InstalledSkills {
  /** As the agent may write it: below the workdir, or `$CODEX_HOME/skills`. */
  readonly directory: string;
  readonly placed: readonly PlacedSkill[];
}

/** Names of the variables of an agent's process, by where they come from. */
export interface ShellVariables {
  /** Names of the daemon's own environment that the agent inherits. */
  readonly inherited: readonly string[];
  /** Names that the daemon sets for the task. */
  readonly set: readonly string[];
  /** Names that the agent's owner set and may set. */
  readonly custom: readonly string[];
}

/** A directory tree that this process holds alone until `release`. */
export interface Environment {
  readonly root: string;
  readonly workdir: string;
  readonly codexHome?: string;
  /** Completes the home when the names of the agent's variables are known; absent: nothing is to be completed. */
  readonly shell?: (variables: ShellVariables) => Promise<void>;
  /** Variables of the agent's process that come from this layer (execenv.md 14). */
  readonly env: Readonly<Record<string, string>>;
  readonly reused: boolean;
  /** The workdir is a user's own directory or a worktree of it: `endLocalWork` at the end of the task. */
  readonly localDirectory: boolean;
  /** The workdir is a user's own directory in which nothing is ours (`sharedWorkDir`). */
  readonly sharedDirectory: boolean;
  /** The agent's skills as they are on disk, and where: what the brief names. */
  readonly skills: InstalledSkills;
  readonly lock: FileLock;
  /** Frees the lock; further calls do nothing. The tree stays. */
  release(): void;
}

export type TaskKind = "chat" | "quick_create" | "autopilot" | "issue";

/** First match wins (execenv.md 10.4). */
export function taskKind(task: TaskContext): TaskKind {
  if (filled(task.chatSessionId)) return "chat";
  if (filled(task.quickCreatePrompt)) return "quick_create";
  return task.autopilot === undefined ? "issue" : "autopilot";
}

export function filled(text: string | undefined): text is string {
  return text !== undefined && text.trim() !== "";
}

import { devNull } from "node:os";
import { dirname } from "node:path";
import { simpleGit } from "simple-git";
import { EXIT, MulticaError, errorText, formatDuration, isMulticaError } from "../core/index.ts";
import { type Clock, type Deadline, type Env, deadline, spawnGroup, terminateTree, withTimeout } from "../platform/index.ts";
import { type GitEnvironment, gitEnvironment } from "./environment.ts";
import { type LockZone, lockInTheWay, removeStaleLock } from "./stale-lock.ts";
import { maskCredentials } from "./url.ts";

export interface GitCall {
  readonly args: readonly string[];
  readonly cwd: string;
  /** The repository, named outright: git then never looks for one in the directories above. */
  readonly gitDir?: string;
  readonly workTree?: string;
  /** Bare repository whose lock the caller holds; what git starts bears its name, so that it can be found after a crash. */
  readonly holds?: string;
  /** Where a lock file of git's that is old enough belongs to the dead and goes. */
  readonly lockZones?: readonly LockZone[];
  /** Added to the environment. */
  readonly env?: Env;
  readonly input?: string;
  /** 10 minutes unless given; 30 s for `ask`. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  /** Every piece of stderr as it comes: git writes its progress there. */
  readonly onStderr?: (text: string) => void;
}

export interface GitAnswer {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The only way to git in this product. */
export interface Git {
  /** A local question that changes nothing; the exit code is part of the answer. Throws at the limit and on abort. */
  ask(call: GitCall): Promise<GitAnswer>;
  /** A command that changes something or talks to a remote; its whole process tree ends at the limit and on abort. */
  run(call: GitCall): Promise<GitAnswer>;
  /** `run`, but any exit code other than 0 is a `git_failed` error that begins with `what`. */
  must(what: string, call: GitCall): Promise<string>;
  /** Fails with `git_missing` or `git_too_old`; asks git once. */
  checkVersion(cwd: string): Promise<void>;
}

/** Names, in the environment of a git process, the bare repository that it works on under our lock. */
export const HOLDS_MARKER = "MULTICA_REPO_CACHE";

const RUN_LIMIT_MS = 600_000;
const ASK_LIMIT_MS = 30_000;
const KILL_GRACE_MS = 2000;
const OUTPUT_CAP = 8 << 20;
const LOCK_RETRY_MS = [200, 1000, 3000];

/**
 * Settings of every command. An agent can write the configuration and the hooks of every repository here, and this git
 * runs outside its sandbox: no hooks, no monitor, no helper programs of a URL's choosing (repocache.md 2.1).
 */
const SETTINGS = [
  `core.hooksPath=${devNull}`,
  "core.fsmonitor=false",
  "protocol.ext.allow=never",
  "gc.auto=0",
  "maintenance.auto=false",
  "submodule.recurse=false",
  "advice.detachedHead=false",
  "init.defaultRefFormat=files",
];

/** simple-git refuses these unless told: they are our own settings above and what the user's environment says. */
const ALLOWED = {
  allowUnsafeAskPass: true,
  allowUnsafeConfigEnvCount: true,
  allowUnsafeConfigPaths: true,
  allowUnsafeCredentialHelper: true,
  allowUnsafeExec: true,
  allowUnsafeFsMonitor: true,
  allowUnsafeGitProxy: true,
  allowUnsafeHooksPath: true,
  allowUnsafeProtocolOverride: true,
  allowUnsafeSshCommand: true,
  allowUnsafeUrlRewrite: true,
};

/** Git with a fixed environment and fixed settings. `env` is the environment to start from (repocache.md 2). */
export function createGit(options: { env: Readonly<Env>; clock: Clock }): Git {
  const environment = gitEnvironment(options.env);
  const { clock } = options;
  let version: Promise<void> | undefined;
  const git: Git = {
    ask: (call) => ask(call, environment, clock),
    run: (call) => runWithRetry(call, environment, clock),
    must: async (what, call) => {
      const answer = await git.run(call);
      if (answer.code !== 0) throw gitFailure(what, answer);
      return answer.stdout;
    },
    checkVersion: (cwd) => {
      version ??= requireVersion(git, cwd);
      return version;
    },
  };
  return git;
}

/** The error for a command that ended with another code than 0; its text is git's own, without secrets. */
export function gitFailure(what: string, answer: GitAnswer): MulticaError {
  const said = maskCredentials(`${answer.stderr}\n${answer.stdout}`.trim()).slice(-4000) || `exit code ${answer.code}`;
  const hint = HINTS.find(({ pattern }) => pattern.test(said));
  // In the text itself: it is all that the agent behind the local port gets to see.
  return new MulticaError("git_failed", `${what}${said}${hint === undefined ? "" : `\n${hint.text}`}`, {
    details: { code: answer.code, authentication: hint === HINTS[0] },
    retry: "later",
  });
}

/** What to do about the failures that are nobody's defect here; the first one that fits. */
const HINTS = [
  {
    pattern: /could not read Username|Permission denied \(publickey|Authentication failed|\b403\b|terminal prompts disabled/,
    text: "The daemon uses this machine's own git credentials: make `git ls-remote <url>` work for the user who runs it.",
  },
  { pattern: /No space left on device|Disk quota exceeded/, text: "The disk is full: free some space, then try again." },
  {
    pattern: /Could not resolve host|Failed to connect|Connection refused|unable to connect|Connection timed out|early EOF|hung up|unexpected disconnect|Connection reset/,
    text: "The remote cannot be reached, or went away: check its address and the network, then try again.",
  },
  {
    pattern: /not found|does not exist|not appear to be a git repository|access denied|not exported/,
    text: "Check the repository's address, and that this machine may read it.",
  },
] as const;

function fullArgs(call: GitCall): string[] {
  const place = [
    ...(call.gitDir === undefined ? [] : [`--git-dir=${call.gitDir}`]),
    ...(call.workTree === undefined ? [] : [`--work-tree=${call.workTree}`]),
  ];
  return [...place, ...call.args];
}

function callEnv(call: GitCall, environment: GitEnvironment): Env {
  const marker = call.holds === undefined ? {} : { [HOLDS_MARKER]: call.holds };
  return { ...environment.env, GIT_CEILING_DIRECTORIES: dirname(call.cwd), ...marker, ...call.env };
}

async function ask(call: GitCall, environment: GitEnvironment, clock: Clock): Promise<GitAnswer> {
  const limitMs = call.timeoutMs ?? ASK_LIMIT_MS;
  const limit = deadline(clock, limitMs, call.signal);
  const env = callEnv(call, environment);
  const answer = { code: 0, stderr: "" };
  try {
    const stdout = await simpleGit({
      baseDir: call.cwd,
      config: SETTINGS,
      allowEnvironment: [...environment.guarded, "GIT_CEILING_DIRECTORIES", ...Object.keys(call.env ?? {})],
      unsafe: ALLOWED,
      abort: limit.signal,
      completion: { onClose: true, onExit: false },
      input: () => Buffer.alloc(0),
      // The exit code is an answer, not an error; simple-git alone would hide it.
      errors: (error, result) => {
        answer.code = result.exitCode;
        answer.stderr = Buffer.concat(result.stdErr).toString("utf8");
        return result.exitCode >= 0 && result.exitCode < 256 && !limit.signal.aborted ? undefined : error;
      },
    })
      .env(env)
      .raw(fullArgs(call));
    return { ...answer, stdout };
  } catch (error) {
    throw limit.signal.aborted ? stopped(limit, limitMs) : asMissing(error);
  } finally {
    limit.done();
  }
}

/** A lock file that another git holds for a moment is no failure yet (repocache.md 5). */
async function runWithRetry(call: GitCall, environment: GitEnvironment, clock: Clock): Promise<GitAnswer> {
  for (const waitMs of LOCK_RETRY_MS) {
    const answer = await runInGroup(call, environment, clock);
    const lock = lockInTheWay(answer);
    if (lock === undefined) return answer;
    const removed = await removeStaleLock(lock, call.lockZones ?? [], clock.now());
    if (!removed) await clock.sleep(waitMs, call.signal);
  }
  return runInGroup(call, environment, clock);
}

async function runInGroup(call: GitCall, environment: GitEnvironment, clock: Clock): Promise<GitAnswer> {
  const limitMs = call.timeoutMs ?? RUN_LIMIT_MS;
  const limit = deadline(clock, limitMs, call.signal);
  try {
    if (limit.signal.aborted) throw stopped(limit, limitMs);
    const settings = SETTINGS.flatMap((entry) => ["-c", entry]);
    const args = [...settings, ...fullArgs(call)];
    const child = await spawnGroup({ command: "git", args, cwd: call.cwd, env: callEnv(call, environment) }).catch(rethrowMissing);
    child.stdin.end(call.input ?? "");
    const stdout = collect(child.stdout);
    const stderr = collect(child.stderr, call.onStderr);
    const ended = await Promise.race([child.exited, aborted(limit.signal)]);
    if (ended === "aborted") {
      await terminateTree({ pid: child.pid, graceMs: KILL_GRACE_MS, clock });
      throw stopped(limit, limitMs);
    }
    // A helper that git left behind must not hold the caller: what was read until then is the answer.
    await withTimeout(clock, KILL_GRACE_MS, "git output", Promise.all([stdout.closed, stderr.closed])).catch(() => undefined);
    return { code: ended.code ?? 128, stdout: stdout.text(), stderr: stderr.text() };
  } finally {
    limit.done();
  }
}

function aborted(signal: AbortSignal): Promise<"aborted"> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve("aborted");
    else signal.addEventListener("abort", () => resolve("aborted"), { once: true });
  });
}

function collect(stream: NodeJS.ReadableStream, onText?: (text: string) => void): { closed: Promise<void>; text: () => string } {
  const chunks: Buffer[] = [];
  let size = 0;
  stream.on("data", (chunk: Buffer) => {
    onText?.(chunk.toString("utf8"));
    if (size < OUTPUT_CAP) chunks.push(chunk);
    size += chunk.length;
  });
  const closed = new Promise<void>((resolve) => stream.once("close", () => resolve()));
  return { closed, text: () => Buffer.concat(chunks).toString("utf8") };
}

function stopped(limit: Deadline, limitMs: number): Error {
  if (limit.expired()) {
    return new MulticaError("git_timeout", `git command timed out after ${formatDuration(limitMs)}`, { retry: "later" });
  }
  const reason: unknown = limit.signal.reason;
  return reason instanceof Error ? reason : new MulticaError("aborted", "git command aborted");
}

function rethrowMissing(error: unknown): never {
  throw asMissing(error);
}

function asMissing(error: unknown): unknown {
  const text = errorText(error);
  const missing = isMulticaError(error, "spawn_failed") || /spawn git ENOENT/.test(text);
  if (!missing) return error instanceof Error ? new MulticaError("git_failed", maskCredentials(text), { cause: error }) : error;
  return new MulticaError("git_missing", `git cannot be started: ${text}`, {
    cause: error,
    exit: EXIT.failed,
    suggestions: ["Install git 2.31 or newer and make sure it is on the daemon's PATH."],
  });
}

async function requireVersion(git: Git, cwd: string): Promise<void> {
  const { stdout } = await git.ask({ args: ["--version"], cwd });
  const found = /(\d+)\.(\d+)/.exec(stdout);
  const [major, minor] = [Number(found?.[1] ?? 0), Number(found?.[2] ?? 0)];
  if (major > 2 || (major === 2 && minor >= 31)) return;
  throw new MulticaError("git_too_old", `git 2.31 or newer is needed, found: ${stdout.trim() || "unknown"}`, {
    suggestions: ["Update git on this machine."],
  });
}

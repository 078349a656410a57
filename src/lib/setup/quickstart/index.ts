import { join } from "node:path";
import { readSettings } from "../../config/index.ts";
import { MulticaError, errorText, isMulticaError } from "../../core/index.ts";
import { type Clock, type Env, packageRoot, readTextIfExists } from "../../platform/index.ts";
import type { Issue } from "../../wire/index.ts";
import { ownCli } from "../cli.ts";
import { setupEmbedded, userApi } from "../embedded.ts";
import { type SetupEvent, type StageTime, Stages } from "../events.ts";
import { createAgent, exampleRuntime, foundRuntime } from "./agent.ts";
import { cleanUp } from "./cleanup.ts";
import { type Followed, followTask, waitForStart } from "./follow.ts";
import { provideRepository } from "./repository.ts";
import { type Scratch, createScratch } from "./scratch.ts";
import { type Evidence, verify } from "./verify.ts";

export interface QuickstartOptions {
  readonly env: Env;
  readonly cwd: string;
  readonly keep: boolean;
  readonly repo?: string;
  /** A real provider found on this machine, instead of the example agent. */
  readonly agent?: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly onEvent?: (event: SetupEvent) => void;
}

/** The document of `quickstart --json` (embedded-server.md "multica quickstart"). */
export interface QuickstartReport {
  readonly ok: boolean;
  readonly server_url: string;
  readonly workspace_id: string;
  readonly issue: { readonly identifier: string; readonly status: string };
  readonly task: { readonly id: string; readonly status: string; readonly attempt: number };
  readonly repo: {
    readonly url: string;
    readonly branch: string;
    readonly commit: string;
    readonly files_changed: number;
    readonly cache: string;
  };
  readonly diff_stat: string;
  readonly comment: string;
  readonly messages: number;
  readonly stages: readonly StageTime[];
  readonly total_ms: number;
  readonly kept_dir?: string;
}

const RUN_LIMIT_MS = 10 * 60_000;
const LOG_LINES = 20;

/**
 * The main job on the embedded server, end to end, in a scratch home: rejects unless the issue reached its final status
 * and the commit is in the repository's cache. Everything it started is stopped before it returns or rejects.
 */
export async function quickstart(options: QuickstartOptions): Promise<QuickstartReport> {
  const emit = options.onEvent ?? (() => undefined);
  const stages = new Stages(emit, () => options.clock.monotonic());
  const start = options.clock.monotonic();
  const scratch = await createScratch({
    env: options.env,
    keepHome: options.agent !== undefined,
    agentScript: join(packageRoot(), "examples", "agents", "echo-agent", "echo-agent.mjs"),
  });
  const cli = ownCli(scratch.env, scratch.dir);
  let outcome: { report: QuickstartReport } | { error: unknown; log: string };
  try {
    const report = await work(options, scratch, stages, emit);
    outcome = { report: { ...report, total_ms: Math.round(options.clock.monotonic() - start) } };
  } catch (error) {
    outcome = { error, log: await lastLines(join(scratch.stateDir, "daemon.log")) };
  }
  const problems = await stages.run("stop", () => cleanUp({ scratch, cli, clock: options.clock, keep: options.keep }));
  // An interruption is not a failure of a stage: the shell's own exit code tells it.
  if ("error" in outcome && options.signal.aborted) throw options.signal.reason;
  if ("error" in outcome) throw failure(outcome.error, stages, outcome.log, options.keep ? scratch.dir : undefined);
  if (problems.length > 0) throw new MulticaError("cleanup_failed", problems.join("; "), { suggestions: [`Look at ${scratch.dir}.`] });
  return { ...outcome.report, stages: stages.times, ...(options.keep ? { kept_dir: scratch.dir } : {}) };
}

async function work(
  options: QuickstartOptions,
  scratch: Scratch,
  stages: Stages,
  emit: (event: SetupEvent) => void,
): Promise<QuickstartReport> {
  const { clock, signal } = options;
  const cli = ownCli(scratch.env, scratch.dir);
  const embedded = await stages.run(
    "set-up",
    () =>
      setupEmbedded({
        env: scratch.env,
        cwd: scratch.dir,
        stateDir: scratch.stateDir,
        port: 0,
        daemonPort: 0,
        startDaemon: true,
        monotonic: () => clock.monotonic(),
      }),
    (report) => `server ${report.server_url}, daemon port ${report.daemon.port ?? "?"}`,
  );
  signal.throwIfAborted();
  const workspaceId = embedded.workspace.id;
  const api = userApi(embedded.server_url, readSettings(scratch.stateDir).token ?? "", workspaceId);
  const url = await stages.run(
    "repository",
    async () => {
      const found = await provideRepository({ dir: scratch.dir, cwd: options.cwd, env: scratch.env, ...(options.repo === undefined ? {} : { repo: options.repo }) });
      await api.updateWorkspace(workspaceId, { repos: [{ url: found }] });
      return found;
    },
    (found) => found,
  );
  const context = { api, cli, clock, signal, workspaceId };
  const runtime = await stages.run(
    "runtime",
    () => (options.agent === undefined ? exampleRuntime(context, scratch.launcher) : foundRuntime(context, options.agent)),
    (found) => found.name,
  );
  const issue = await stages.run(
    "issue",
    async () => {
      const agent = await createAgent(context, runtime);
      return api.createIssue({ title: "Say hello from an agent", description: issueText(url), assignee_type: "agent", assignee_id: agent.id });
    },
    (created) => `${created.identifier} ${created.title}`,
  );
  const follow = { api, clock, signal, issue, emit, limitMs: RUN_LIMIT_MS };
  await stages.run("claim", () => waitForStart(follow), (task) => `task ${task.id.slice(-12)}`);
  const followed = await stages.run("run", () => followTask(follow), (result) => `${result.task.status}, ${result.messages} messages`);
  const evidence = await stages.run(
    "verify",
    () => verify({ api, env: scratch.env, workspacesRoot: scratch.workspacesRoot, workspaceId, issueId: issue.id, task: followed.task }),
    (result) => `${result.branch} ${result.commit.slice(0, 12)}`,
  );
  return reportOf(embedded.server_url, workspaceId, url, issue, followed, evidence);
}

function issueText(url: string): string {
  return [
    `Check out ${url}, add a file with one line that greets the reader, commit it, tell what you did in a comment`,
    "and move this issue to in_review.",
  ].join(" ");
}

function reportOf(
  serverUrl: string,
  workspaceId: string,
  url: string,
  issue: Issue,
  followed: Followed,
  evidence: Evidence,
): QuickstartReport {
  return {
    ok: true,
    server_url: serverUrl,
    workspace_id: workspaceId,
    issue: { identifier: issue.identifier, status: evidence.issue.status },
    task: { id: followed.task.id, status: followed.task.status, attempt: followed.task.attempt ?? 1 },
    repo: { url, branch: evidence.branch, commit: evidence.commit, files_changed: evidence.filesChanged, cache: evidence.cache },
    diff_stat: evidence.diffStat,
    comment: evidence.comment,
    messages: followed.messages,
    stages: [],
    total_ms: 0,
  };
}

async function lastLines(path: string): Promise<string> {
  const text = (await readTextIfExists(path)) ?? "";
  return text.trimEnd().split("\n").slice(-LOG_LINES).join("\n");
}

function failure(error: unknown, stages: Stages, log: string, kept: string | undefined): MulticaError {
  const stage = stages.failed ?? "start";
  return new MulticaError("quickstart_failed", `quickstart failed at "${stage}": ${errorText(error)}`, {
    cause: error,
    suggestions: [
      ...(isMulticaError(error) ? error.suggestions : []),
      kept === undefined ? "Run it again with --keep to look at its files." : `Its files are in ${kept}.`,
    ],
    details: { stage, log },
  });
}

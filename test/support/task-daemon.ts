import { mkdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { onTestFinished } from "vitest";
import { createDaemonApi } from "../../src/lib/api/daemon-api.ts";
import { createHttp } from "../../src/lib/api/ky-http.ts";
import { resolveDaemonConfig, type DaemonConfig } from "../../src/lib/config/index.ts";
import { uuid7 } from "../../src/lib/core/index.ts";
import { createActiveRoots } from "../../src/lib/daemon/active-roots.ts";
import { ClaimBarrier } from "../../src/lib/daemon/barrier.ts";
import type { DaemonContext } from "../../src/lib/daemon/context.ts";
import { createCredentials } from "../../src/lib/daemon/credentials.ts";
import { TaskThreads } from "../../src/lib/daemon/exec/threads.ts";
import { LIMITS } from "../../src/lib/daemon/limits.ts";
import { Outbox } from "../../src/lib/daemon/outbox/outbox.ts";
import { createRecentEndings } from "../../src/lib/daemon/recent.ts";
import { createReconcile } from "../../src/lib/daemon/reconcile.ts";
import { type LaunchEntry, RuntimeRegistry } from "../../src/lib/daemon/runtimes.ts";
import { Slots } from "../../src/lib/daemon/slots.ts";
import { type Clock, currentPid, findByEnv, processIdentity, sendSignal, systemClock } from "../../src/lib/platform/index.ts";
import { createLogger } from "../../src/lib/platform/logger.ts";
import { createRepoCache } from "../../src/lib/repos/index.ts";
import type { StateHandle } from "../../src/lib/state/index.ts";
import { openState } from "../../src/lib/state/open.ts";
import type { Task } from "../../src/lib/wire/index.ts";
import { type TaskServer, startTaskServer } from "./task-server.ts";
import { tempDir } from "./temp.ts";

const BIN = resolve(import.meta.dirname, "../fixtures/agents-bin");

export interface TaskDaemonOptions {
  /** Name of a fixture agent, e.g. `acp-happy`. */
  readonly agent: string;
  /** The protocol it speaks; `acp` unless given. */
  readonly provider?: string;
  /** Talk to this server instead of the recording one, as the daemon of this runtime. */
  readonly live?: { readonly url: string; readonly token: string; readonly workspaceId: string; readonly runtimeId: string };
  readonly config?: Partial<DaemonConfig>;
  readonly withoutState?: boolean;
  /** Reports go through the durable outbox. */
  readonly outbox?: boolean;
  /** Time as the pipeline sees it; the machine's own unless given. */
  readonly clock?: Clock;
  readonly env?: Readonly<Record<string, string>>;
  /** Agents can run under its hosts; none unless given. */
  readonly exec?: DaemonContext["exec"];
  /** The rollout index; none unless given. */
  readonly index?: DaemonContext["index"];
}

export interface TaskDaemon {
  readonly ctx: DaemonContext;
  readonly server: TaskServer;
  readonly state: StateHandle | null;
  readonly home: string;
  readonly shutdown: AbortController;
  /** A claimed issue task; with a row in the state file, as the claim loop leaves it. */
  task(fields?: Partial<Task>): Task;
  /** Notes a task claimed elsewhere, as the claim loop does, so that nothing of it outlives the test. */
  claimed(task: Task): Task;
  /** Every line of the daemon's log. */
  log(): string;
}

/** What the pipeline needs of a daemon, made of the real parts, against a real server on a real socket. */
export async function taskDaemon(options: TaskDaemonOptions): Promise<TaskDaemon> {
  const home = tempDir();
  const server = await startTaskServer();
  const stateDir = join(home, ".multica");
  mkdirSync(stateDir, { recursive: true });
  const env = { PATH: process.env["PATH"] ?? "", HOME: home, MULTICA_TOKEN: "mul_the_daemons_own", MULTICA_HOME: stateDir, ...options.env };
  const logFile = join(stateDir, "daemon.log");
  const logger = createLogger({ file: logFile, level: "debug" });
  const serverUrl = options.live?.url ?? server.url;
  const token = options.live?.token ?? "mul_x";
  const workspaceId = options.live?.workspaceId ?? "w";
  const provider = options.provider ?? "acp";
  const config = { ...resolveDaemonConfig({ flags: {}, env, settings: { server_url: serverUrl, token }, profile: "", stateDir, home }), ...options.config };
  const clock = options.clock ?? systemClock;
  const state = options.withoutState === true ? null : await openState({ stateDir, version: "0.0.0", clock: systemClock, logger });
  const identity = processIdentity(currentPid());
  if (state !== null && identity !== null) await state.beginRun({ identity, port: 1 });
  const runtimes = new RuntimeRegistry();
  const launch: LaunchEntry = { provider, path: process.execPath, version: "1.0.0", fixedArgs: [join(BIN, `${options.agent}.mjs`)], profileId: "p" };
  runtimes.track(workspaceId, "local");
  runtimes.setProfileLaunch("p", launch);
  runtimes.replace(workspaceId, [{ id: options.live?.runtimeId ?? "r", name: "Agent", provider, profileId: "p" }]);
  const shutdown = new AbortController();
  const api = createDaemonApi(
    createHttp({ serverUrl, token: config.token, platform: "daemon", clientVersion: "0", os: "linux" }),
  );
  const outbox = options.outbox === true && state !== null ? new Outbox({ state, api, clock, logger }) : null;
  const ctx: DaemonContext = {
    config,
    limits: LIMITS,
    profile: "",
    stateDir,
    daemonId: "d",
    serverUrl,
    api,
    state,
    outbox,
    exec: options.exec ?? null,
    threads: new TaskThreads(),
    index: options.index ?? null,
    clock,
    logger,
    env,
    slots: new Slots(2),
    barrier: new ClaimBarrier(),
    runtimes,
    repoCache: createRepoCache({ root: config.workspacesRoot, clock, logger, env }),
    taskRepos: { register: () => undefined, clear: () => undefined },
    credentials: createCredentials(),
    activeRoots: createActiveRoots(),
    counters: { running: 0, resourceWait: 0 },
    recent: createRecentEndings(clock),
    reconcile: createReconcile(clock, 1000),
    rootSignal: shutdown.signal,
    wake: () => undefined,
    localPort: 1,
    launcherDir: join(stateDir, "bin"),
  };
  outbox?.start();
  const ids: string[] = [];
  onTestFinished(() => {
    outbox?.stop();
    for (const id of ids) for (const stray of findByEnv("MULTICA_TASK_ID", id)) sendSignal(stray.pid, "SIGKILL");
    state?.close();
    logger.close();
  });
  return {
    ctx,
    server,
    state,
    home,
    shutdown,
    log: () => readFileSync(logFile, "utf8"),
    claimed(task) {
      ids.push(task.id);
      state?.insertTask({ task_id: task.id, workspace_id: task.workspace_id, runtime_id: task.runtime_id, agent_id: task.agent_id, provider });
      return task;
    },
    task(fields = {}) {
      const id = uuid7(Date.now());
      ids.push(id);
      const agent = { id: "a", name: "Dev", instructions: "be kind" };
      const base: Task = { id, agent_id: "a", runtime_id: "r", workspace_id: "w", issue_id: "i1", status: "dispatched", auth_token: "mat_the_tasks_own", agent };
      const task = { ...base, ...fields };
      state?.insertTask({ task_id: id, workspace_id: "w", runtime_id: "r", agent_id: "a", issue_id: "i1", provider });
      return task;
    },
  };
}

import { createDaemonApi } from "../api/daemon-api.ts";
import { createHttp } from "../api/ky-http.ts";
import type { HttpOptions } from "../api/index.ts";
import { type ConnectionPool, createConnectionPool } from "../platform/connections.ts";
import { machineName, platformName } from "../platform/index.ts";
import { createRepoCache, createRepoRegistry } from "../repos/index.ts";
import { DAEMON_CAPABILITIES, WIRE_VERSION } from "../wire/index.ts";
import { createActiveRoots } from "./active-roots.ts";
import { ClaimBarrier } from "./barrier.ts";
import { claimCalls } from "./calls.ts";
import type { DaemonContext } from "./context.ts";
import { createCredentials } from "./credentials.ts";
import { createDiscovery, type Discovery } from "./discovery.ts";
import { createDispatcher, type Dispatcher } from "./dispatcher.ts";
import { createUpdates, housekeepingLoops } from "./housekeeping.ts";
import type { PresenceFacts } from "./health-presence.ts";
import { legacyDaemonIds } from "./identity.ts";
import { ClaimHistory } from "./loops/claim-history.ts";
import { ClaimLoop } from "./loops/claim.ts";
import { runDiscovery } from "./loops/discovery.ts";
import { runSettings } from "./loops/settings.ts";
import { runIndexRefresh } from "./loops/index-refresh.ts";
import { SyncLoop } from "./loops/sync.ts";
import { flushTerminals } from "./outbox/flush.ts";
import { createRecentEndings } from "./recent.ts";
import { createReconcile } from "./reconcile.ts";
import { OwnToken } from "./own-token.ts";
import { createPresence } from "./presence.ts";
import { QueueView } from "./queue.ts";
import { recordTask } from "./recovery.ts";
import { Registrar } from "./register.ts";
import { createRepoAccess, refreshRepos, type RepoAccess } from "./repo-access.ts";
import { RpcClient } from "./rpc.ts";
import { RuntimeGone } from "./runtime-gone.ts";
import { RuntimeRegistry } from "./runtimes.ts";
import { siblingRuntimes } from "./siblings.ts";
import { Slots } from "./slots.ts";
import type { UpdateParts, Updates } from "./update/updates.ts";
import type { Adopted } from "./task/hosted/adopted.ts";
import { TaskThreads } from "./exec/threads.ts";
import type { Link } from "./socket-frames.ts";

/** What exists before the parts are put together. */
export interface Base
  extends Pick<DaemonContext, "config" | "limits" | "stateDir" | "daemonId" | "clock" | "logger" | "env" | "rootSignal" | "localPort" | "launcherDir"> {
  /** Asked each time: the state file is opened after the local port answers. */
  readonly opened: () => Pick<DaemonContext, "state" | "outbox" | "index" | "exec">;
  readonly home: string;
  readonly version: string;
  /** What a successor would be started from. */
  readonly restartTarget: UpdateParts["target"];
  /** Ends this daemon in favour of a successor; false when that cannot be done. */
  readonly restart: UpdateParts["restart"];
  /** Where the machine's daemon ids lie. */
  readonly stateRoot: string;
  readonly runTask: (ctx: DaemonContext, task: Parameters<Dispatcher["dispatch"]>[0], slot: number, adopted?: Adopted) => Promise<void>;
}

/** A daemon whose parts know one another; nothing runs yet. */
export interface Daemon {
  readonly ctx: DaemonContext;
  readonly discovery: Discovery;
  readonly dispatcher: Dispatcher;
  readonly repoAccess: RepoAccess;
  readonly sync: SyncLoop;
  readonly claim: ClaimLoop;
  readonly updates: Updates;
  /** What `/health` tells of the link to the server and of what waits. */
  readonly presenceFacts: Omit<PresenceFacts, "runtimes" | "slots"> & { readonly queue: QueueView };
  /** The loops besides the claim loop, by name; each runs until the root signal aborts. */
  readonly loops: readonly { readonly name: string; readonly run: () => Promise<void> }[];
}

/** Builds context and loops (daemon.md 1.1); no request is sent. */
export function assemble(base: Base): Daemon {
  const { config } = base;
  const token = new OwnToken(config.token);
  const http = httpOptions(token, base);
  const late = { wake: (): void => undefined };
  const pool = createConnectionPool();
  const { ctx, repoAccess } = createContext(base, { http, pool }, () => late.wake());
  const discovery = createDiscovery({ ...ctx, home: base.home });
  const dispatcher = createDispatcher(ctx, async (task, slot, adopted) => {
    const launch = adopted === undefined ? ctx.runtimes.launchEntry(task.runtime_id) : null;
    if (launch !== null) await discovery.heal(launch);
    await base.runTask(ctx, task, slot, adopted);
  });
  const registrar = createRegistrar(base, ctx, { discovery, dispatcher, repoAccess });
  const gone = new RuntimeGone(ctx, registrar);
  const runtimeGone = (id: string): void => void gone.report(id);
  const link: Link = { connected: false, since: null, close: () => undefined };
  const rpc = new RpcClient(ctx);
  const sync = new SyncLoop({
    ...ctx,
    registrar,
    idleIntervalMs: config.syncIntervalMs,
    probe: discovery.probe,
    onForgotten: (id) => repoAccess.removeWorkspace(id),
    socketConnected: () => link.connected,
  });
  const history = new ClaimHistory();
  const claim = new ClaimLoop({
    ...ctx,
    history,
    pollIntervalMs: config.pollIntervalMs,
    ...claimCalls(ctx, rpc, (id) => registrar.mayClaim(id)),
    runtimeGone,
    isInside: (id) => dispatcher.has(id),
    record: (task) => recordTask(ctx, task),
    dispatch: (task, slot) => dispatcher.dispatch(task, slot),
  });
  late.wake = () => claim.wake();
  const updates = createUpdates(ctx, base);
  const presence = createPresence({ ctx, home: base.home, http, pool, link, rpc, claim, sync, registrar, discovery, requestUpdate: updates.updates.requested, runtimeGone });
  const requestSync = (): void => sync.request({ reconcileProfiles: false });
  const onAdopted = (): void => {
    ctx.outbox?.kick();
    ctx.runtimes.changes.notify();
    requestSync();
    claim.wake();
  };
  const loops = [
    { name: "workspace sync", run: () => sync.run() },
    { name: "agent discovery", run: () => runDiscovery({ ...ctx, registrar, holds: discovery.holds, locate: discovery.locate, probe: discovery.probe, requestSync }) },
    { name: "settings", run: () => runSettings({ ...ctx, registrar, requestSync, adopt: { ...ctx, token, apiWith: (text) => createDaemonApi(createHttp({ ...http, token: text })), onAdopted } }) },
    ...housekeepingLoops(ctx, repoAccess),
    ...updates.loops,
    { name: "session index", run: () => runIndexRefresh({ ...ctx, index: () => ctx.index, intervalMs: ctx.limits.indexRefresh }) },
    ...presence.loops,
  ];
  const queue = new QueueView({ ...ctx, state: () => ctx.state, history, dispatcher, pollIntervalMs: config.pollIntervalMs, mayClaim: (id) => registrar.mayClaim(id) });
  const presenceFacts = { link, rpc, claim, registrar, queue, stamps: presence.stamps, holds: discovery.holds, actions: presence.actions };
  return { ctx, discovery, dispatcher, repoAccess, sync, claim, updates: updates.updates, presenceFacts, loops };
}

function httpOptions(token: OwnToken, { config }: Base): HttpOptions {
  return {
    serverUrl: config.serverUrl,
    token: () => token.current,
    platform: "daemon",
    clientVersion: WIRE_VERSION,
    os: platformName(),
    capabilities: DAEMON_CAPABILITIES,
  };
}

/** The shared context; the claim loop is made from it, so waking it is bound later. */
function createContext(base: Base, { http, pool }: { readonly http: HttpOptions; readonly pool: ConnectionPool }, wake: () => void): { readonly ctx: DaemonContext; readonly repoAccess: RepoAccess } {
  const { config, clock, limits, logger, rootSignal } = base;
  const api = createDaemonApi(createHttp(http, pool));
  const repoCache = createRepoCache({ root: config.workspacesRoot, clock, logger, env: base.env });
  const registry = createRepoRegistry({ cache: repoCache, logger, refresh: (id) => refreshRepos({ api, limits, rootSignal }, id) });
  const repoAccess = createRepoAccess({ clock, limits, logger, rootSignal, cache: repoCache, registry, checkoutMode: config.repoCheckoutMode });
  const ctx: DaemonContext = {
    ...base,
    get state() {
      return base.opened().state;
    },
    get outbox() {
      return base.opened().outbox;
    },
    get index() {
      return base.opened().index;
    },
    get exec() {
      return base.opened().exec;
    },
    threads: new TaskThreads(),
    profile: config.profile,
    serverUrl: config.serverUrl,
    api,
    repoCache,
    slots: new Slots(config.maxConcurrentTasks),
    barrier: new ClaimBarrier(),
    runtimes: new RuntimeRegistry(),
    taskRepos: repoAccess.taskRepos,
    credentials: createCredentials(),
    activeRoots: createActiveRoots(),
    counters: { running: 0, resourceWait: 0 },
    recent: createRecentEndings(clock),
    reconcile: createReconcile(clock, limits.reconcileDebounce),
    wake,
  };
  return { ctx, repoAccess };
}

function createRegistrar(
  base: Base,
  ctx: DaemonContext,
  parts: { readonly discovery: Discovery; readonly dispatcher: Dispatcher; readonly repoAccess: RepoAccess },
): Registrar {
  const { config } = base;
  return new Registrar({
    ...ctx,
    identity: {
      legacyIds: legacyDaemonIds({ hostname: machineName(), profile: config.profile, root: base.stateRoot, daemonId: base.daemonId }),
      deviceName: config.deviceName,
      cliVersion: WIRE_VERSION,
      launchedBy: config.launchedBy,
    },
    probe: parts.discovery.probe,
    resolveProfile: parts.discovery.resolveProfile,
    holds: parts.discovery.holds,
    onWorkspaceData: (id, answer) => parts.repoAccess.setWorkspace(id, answer),
    usesRuntime: (id) => parts.dispatcher.usesRuntime(id),
    servedElsewhere: () => siblingRuntimes(base),
    // With those of runtimes that are gone: a new one may stand for them.
    flushReports: async (id, ms) => ctx.outbox === null || flushTerminals(ctx.outbox, ctx.clock, (of) => of === id || ctx.runtimes.get(of) === undefined, ms),
  });
}

import { ClaimBarrier } from "../../src/lib/daemon/barrier.ts";
import { createDispatcher } from "../../src/lib/daemon/dispatcher.ts";
import { LIMITS } from "../../src/lib/daemon/limits.ts";
import { ClaimHistory } from "../../src/lib/daemon/loops/claim-history.ts";
import { ClaimLoop } from "../../src/lib/daemon/loops/claim.ts";
import type { ClaimAnswer } from "../../src/lib/daemon/loops/claim-answer.ts";
import { waitReason } from "../../src/lib/daemon/queue.ts";
import { RuntimeRegistry } from "../../src/lib/daemon/runtimes.ts";
import { Slots } from "../../src/lib/daemon/slots.ts";
import { silentLogger } from "../../src/lib/platform/logger.ts";
import { all, insert } from "../../src/lib/server/db/query.ts";
import { touchRuntime } from "../../src/lib/server/services/daemon/presence.ts";
import { claimBatch, claimNext } from "../../src/lib/server/services/tasks/claim.ts";
import { startTask } from "../../src/lib/server/services/tasks/lifecycle.ts";
import { endTask } from "../../src/lib/server/services/tasks/store.ts";
import { seeded } from "./seeded.ts";
import { type TaskWorld, taskWorld } from "./task-world.ts";

export interface SimulationSize {
  readonly seed: number;
  readonly tasks: number;
  readonly workspaces: number;
  readonly runtimesPerWorkspace: number;
  readonly daemons: number;
  /** All tasks wait from the start, instead of some hundred at a time. */
  readonly backlog?: boolean;
}

export interface SimulationResult {
  readonly seed: number;
  readonly completed: number;
  readonly started: number;
  readonly hours: number;
  readonly claims: number;
  /** Everything that was asked of the server: claims, starts, endings, heartbeats. */
  readonly requests: number;
  readonly lostAnswers: number;
  readonly restarts: number;
  readonly lostWakes: number;
  /** Waiting tasks whose reason was checked, by reason. */
  readonly reasons: Readonly<Record<string, number>>;
  /** The longest time a task could have been started and was not, in seconds. */
  readonly longestIdle: number;
  /** Every broken rule, in words. */
  readonly broken: readonly string[];
}

/** From the environment: a run that broke a rule can be had again. */
export function seedOf(fallback: number): number {
  return Number(process.env["SIMULATION_SEED"] ?? fallback);
}

interface LiveRow {
  readonly id: string;
  readonly agent_id: string;
  readonly runtime_id: string;
  readonly issue_id: string;
  readonly status: string;
  readonly created_at: number;
}

const LIVE = "SELECT id, agent_id, runtime_id, issue_id, status, created_at FROM task WHERE status NOT IN ('completed', 'failed', 'cancelled')";
const POLL_MS = 30_000;
const SAMPLE_MS = 5000;
const MOST_WAITING = 500;
/** Poll, capacity back-off, the time after an uncertain claim, its limit, and a sample. */
const IDLE_LIMIT_MS = POLL_MS + LIMITS.capacityBackoffMax + LIMITS.uncertainWindow + 2 * LIMITS.batchClaimTimeout + LIMITS.rpcGrace + SAMPLE_MS;
/** After it the server hands a lost task out again; another claim may be needed for that. */
const LEASE_MS = 90_000;

interface Attempt {
  readonly at: number;
  readonly outcome: "answered" | "full" | "refused" | "lost";
}

/** One daemon: its real claim loop, slots, barrier and dispatcher; the pipeline only takes time. */
class SimulatedDaemon {
  readonly runtimes = new RuntimeRegistry();
  readonly slots: Slots;
  readonly barrier = new ClaimBarrier();
  readonly history = new ClaimHistory();
  readonly dispatcher: ReturnType<typeof createDispatcher>;
  readonly loop: ClaimLoop;
  readonly done: Promise<void>;
  /** The last claim for each runtime, as the simulation itself saw it. */
  readonly attempts = new Map<string, Attempt>();

  constructor(simulation: Simulation, runtimeIds: readonly (readonly [string, string])[], options: { readonly slots: number; readonly single: boolean }) {
    const { clock } = simulation.world;
    for (const [workspaceId] of runtimeIds) this.runtimes.track(workspaceId, workspaceId);
    for (const workspace of this.runtimes.workspaces()) {
      const rows = runtimeIds.filter(([of]) => of === workspace.id).map(([, id]) => ({ id, name: id, provider: "codex", profileId: null }));
      this.runtimes.replace(workspace.id, rows);
    }
    this.slots = new Slots(options.slots);
    const late = { wake: (): void => undefined };
    this.dispatcher = createDispatcher({ clock, logger: silentLogger, slots: this.slots, barrier: this.barrier, wake: () => late.wake() }, (task) => simulation.run(this, task.id));
    this.loop = new ClaimLoop({
      clock,
      limits: LIMITS,
      logger: silentLogger,
      slots: this.slots,
      barrier: this.barrier,
      runtimes: this.runtimes,
      rootSignal: simulation.stop.signal,
      pollIntervalMs: POLL_MS,
      history: this.history,
      overSocket: () => simulation.up && simulation.random() < 0.5,
      claimBatch: (ids, max, _signal, way) => (options.single ? Promise.resolve({ kind: "unsupported" }) : simulation.claim(this, ids, max, way)),
      claimSingle: (id) => simulation.claim(this, [id], 1, "http"),
      runtimeGone: (id) => simulation.broken.push(`runtime ${id} reported gone`),
      isInside: (id) => this.dispatcher.has(id),
      record: () => undefined,
      dispatch: (task, slot) => {
        simulation.received(this, task.id, slot);
        this.dispatcher.dispatch(task, slot);
      },
    });
    late.wake = () => this.loop.wake();
    this.done = this.loop.run();
  }
}

class Simulation {
  readonly world: TaskWorld;
  readonly random: () => number;
  readonly stop = new AbortController();
  readonly broken: string[] = [];
  readonly daemons: SimulatedDaemon[] = [];
  readonly reasons: Record<string, number> = {};
  readonly counts = { completed: 0, started: 0, claims: 0, requests: 0, lostAnswers: 0, restarts: 0, lostWakes: 0, inserted: 0 };
  up = true;
  longestIdleMs = 0;
  readonly #size: SimulationSize;
  readonly #agents: { readonly id: string; readonly workspaceId: string; readonly runtimeId: string }[] = [];
  readonly #limits = new Map<string, number>();
  readonly #issues = new Map<string, string[]>();
  readonly #startedIds = new Set<string>();
  /** Handed out to nobody. */
  readonly #lost = new Set<string>();
  /** When the last task of an agent ended: what waited for it may not have been asked for since. */
  readonly #released = new Map<string, number>();
  readonly #claimableSince = new Map<string, number>();
  #lastLost = 0;

  constructor(world: TaskWorld, size: SimulationSize) {
    this.world = world;
    this.#size = size;
    this.random = seeded(size.seed);
    world.ctx.db.exec("PRAGMA synchronous = OFF");
    this.#build();
  }

  pick<T>(list: readonly T[]): T {
    const found = list[Math.floor(this.random() * list.length)];
    if (found === undefined) throw new Error("empty list");
    return found;
  }

  between(low: number, high: number): number {
    return low + Math.floor(this.random() * (high - low + 1));
  }

  /** The pollers' turns depend on ids: they come from the seed too. */
  #id(): string {
    const digits = Array.from({ length: 32 }, () => Math.floor(this.random() * 16).toString(16)).join("");
    return `${digits.slice(0, 8)}-${digits.slice(8, 12)}-4${digits.slice(13, 16)}-a${digits.slice(17, 20)}-${digits.slice(20)}`;
  }

  #build(): void {
    const { world } = this;
    const { workspaces, runtimesPerWorkspace, daemons } = this.#size;
    const now = world.clock.now();
    const served = Array.from({ length: daemons }, (): (readonly [string, string])[] => []);
    world.tx((tx) => {
      for (let at = 0; at < workspaces; at += 1) {
        const workspaceId = this.#id();
        insert(tx.db, "workspace", { id: workspaceId, name: `w${at}`, slug: `w${at}`, issue_prefix: `W${at}`, created_at: now, updated_at: now });
        const issues = Array.from({ length: this.#size.backlog === true ? 400 : 40 }, (_, number) => this.#issue(workspaceId, number + 1, now));
        this.#issues.set(workspaceId, issues);
        for (let each = 0; each < runtimesPerWorkspace; each += 1) {
          const runtimeId = this.#id();
          world.insertRuntime(runtimeId, `d${at % daemons}-${each}`, "codex");
          world.set("agent_runtime", runtimeId, { workspace_id: workspaceId });
          served[at % daemons]?.push([workspaceId, runtimeId]);
          for (let index = 0; index < 2; index += 1) {
            const most = this.between(1, 6);
            const id = this.#id();
            world.agent(`a${at}-${each}-${index}`, { id, workspace_id: workspaceId, runtime_id: runtimeId, max_concurrent_tasks: most });
            this.#limits.set(id, most);
            this.#agents.push({ id, workspaceId, runtimeId });
          }
        }
      }
    });
    // The last daemon talks to the server as to an older one: one poller a runtime.
    for (const [at, ids] of served.entries()) this.daemons.push(new SimulatedDaemon(this, ids, { slots: this.between(2, 20), single: at === daemons - 1 && daemons > 1 }));
  }

  #most(agentId: string): number {
    return this.#limits.get(agentId) ?? 0;
  }

  #issue(workspaceId: string, number: number, now: number): string {
    const id = this.#id();
    insert(this.world.ctx.db, "issue", {
      ...{ id, workspace_id: workspaceId, number, title: `i${number}`, status: "todo", priority: "none" },
      ...{ creator_type: "member", creator_id: this.world.userId, created_at: now, updated_at: now },
    });
    return id;
  }

  /** A new task for a random agent; a wake-up for its daemon, unless that is lost. */
  enqueue(): void {
    const agent = this.pick(this.#agents);
    const issueId = this.pick(this.#issues.get(agent.workspaceId) ?? []);
    const pair = { issueId, agentId: agent.id };
    const pending = all(this.world.ctx.db, "SELECT id FROM task WHERE issue_id = :issueId AND agent_id = :agentId AND status IN ('queued', 'dispatched')", pair);
    // A second run for the same pair is merged into the first by the server; here another pair is taken.
    if (pending.length > 0) return;
    const now = this.world.clock.now();
    const row = { id: this.#id(), agent_id: agent.id, runtime_id: agent.runtimeId, workspace_id: agent.workspaceId, issue_id: issueId, status: "queued", priority: this.between(0, 4) };
    insert(this.world.ctx.db, "task", { ...row, originator_user_id: this.world.userId, created_at: now, updated_at: now });
    this.counts.inserted += 1;
    if (!this.up || this.random() < 0.4) this.counts.lostWakes += 1;
    else this.daemons.find((daemon) => daemon.runtimes.get(agent.runtimeId) !== undefined)?.loop.wake(agent.runtimeId);
  }

  async claim(daemon: SimulatedDaemon, ids: readonly string[], max: number, way: "socket" | "http"): Promise<ClaimAnswer> {
    const { clock, ctx } = this.world;
    const at = clock.now();
    this.counts.claims += 1;
    this.counts.requests += 1;
    const note = (outcome: Attempt["outcome"]): void => ids.forEach((id) => daemon.attempts.set(id, { at, outcome }));
    await clock.sleep(this.between(1, 300));
    if (!this.up) {
      note("refused");
      return { kind: "failed", error: "connection refused" };
    }
    const capabilities = new Set(["coalesced-comments-v1"]);
    const tasks =
      ids.length === 1 && max === 1
        ? [claimNext(ctx, ids[0] ?? "", capabilities)].flatMap((outcome) => (outcome.kind === "task" ? [outcome.task] : []))
        : claimBatch(ctx, ids, max, capabilities);
    for (const task of tasks) this.#lost.delete(task.id);
    await clock.sleep(this.between(1, 300));
    if (this.up && this.random() >= 0.02) {
      note(tasks.length >= max ? "full" : "answered");
      return { kind: "tasks", tasks };
    }
    // The server did its work; the answer never comes.
    this.counts.lostAnswers += 1;
    for (const task of tasks) this.#lost.add(task.id);
    this.#lastLost = clock.now();
    await clock.sleep(way === "socket" ? LIMITS.batchClaimTimeout + LIMITS.rpcGrace : LIMITS.batchClaimTimeout);
    note(way === "socket" ? "lost" : "refused");
    return way === "socket" ? { kind: "uncertain" } : { kind: "failed", error: "timed out" };
  }

  received(daemon: SimulatedDaemon, taskId: string, slot: number): void {
    if (slot < 0 || slot >= daemon.slots.count) this.broken.push(`slot ${slot} of ${daemon.slots.count}`);
    if (this.daemons.some((other) => other.dispatcher.has(taskId))) this.broken.push(`task ${taskId} inside twice`);
    if (daemon.dispatcher.size >= daemon.slots.count) this.broken.push("more tasks than slots");
  }

  /** What stands for the pipeline: prepare, start, work, end. A server that is away is waited for, as reports are. */
  async run(_daemon: SimulatedDaemon, taskId: string): Promise<void> {
    const { clock } = this.world;
    await clock.sleep(this.between(100, 8000));
    while (!this.up) await clock.sleep(1000);
    this.counts.requests += 2;
    try {
      this.world.tx((tx) => startTask(tx, taskId));
    } catch (error) {
      this.broken.push(`start refused: ${String(error)}`);
      return;
    }
    if (this.#startedIds.has(taskId)) this.broken.push(`task ${taskId} started twice`);
    this.#startedIds.add(taskId);
    this.counts.started += 1;
    await clock.sleep(this.between(2000, 90_000));
    while (!this.up) await clock.sleep(1000);
    const ended = this.world.tx((tx) => endTask(tx, taskId, { to: "completed", set: {} }));
    if (ended === undefined) this.broken.push(`task ${taskId} was no longer running at its end`);
    else this.#released.set(ended.agent_id, clock.now());
    this.counts.completed += 1;
  }

  beat(): void {
    if (!this.up) return;
    const runtimes = new Set(this.#agents.map(({ runtimeId }) => runtimeId));
    this.counts.requests += runtimes.size;
    this.world.tx((tx) => {
      for (const runtimeId of runtimes) touchRuntime(tx, runtimeId);
    });
  }

  /** The server goes away for a while and comes back; connections are made anew after that, some of them late. */
  async restart(): Promise<void> {
    const { clock } = this.world;
    this.counts.restarts += 1;
    this.up = false;
    await clock.sleep(this.between(1000, 60_000));
    this.up = true;
    this.beat();
    for (const daemon of this.daemons) {
      void clock.sleep(this.between(0, 35_000)).then(() => {
        daemon.loop.resetMode();
        daemon.loop.wake();
      });
    }
  }

  /** Checks every rule against the server's own tables. */
  sample(): void {
    const now = this.world.clock.now();
    const live = all<LiveRow>(this.world.ctx.db, LIVE);
    const held = new Map<string, number>();
    const busyPairs = new Set<string>();
    for (const { agent_id: agent, issue_id: issue } of live.filter(({ status }) => status !== "queued")) {
      held.set(agent, (held.get(agent) ?? 0) + 1);
      const pair = `${agent} ${issue}`;
      if (busyPairs.has(pair)) this.broken.push(`agent ${agent} works twice on issue ${issue}`);
      busyPairs.add(pair);
    }
    for (const [agent, count] of held) if (count > this.#most(agent)) this.broken.push(`agent ${agent} has ${count} tasks and may have ${this.#most(agent)}`);
    const isBlocked = (row: LiveRow): boolean => row.status === "queued" && ((held.get(row.agent_id) ?? 0) >= this.#most(row.agent_id) || busyPairs.has(`${row.agent_id} ${row.issue_id}`));
    const rows = live.filter(({ status }) => status === "queued" || status === "dispatched");
    const waiting = new Set(rows.map(({ id }) => id));
    for (const id of this.#claimableSince.keys()) if (!waiting.has(id)) this.#claimableSince.delete(id);
    for (const row of rows) {
      const daemon = this.daemons.find((one) => one.runtimes.get(row.runtime_id) !== undefined);
      if (daemon === undefined) throw new Error("a runtime without a daemon");
      this.#checkReason(daemon, row, isBlocked(row));
      this.#checkIdle(daemon, row, isBlocked(row), now);
    }
  }

  #checkIdle(daemon: SimulatedDaemon, row: LiveRow, blocked: boolean, now: number): void {
    const free = row.status === "queued" && this.up && !blocked && daemon.slots.freeCount > 0;
    if (!free) return void this.#claimableSince.delete(row.id);
    const since = this.#claimableSince.get(row.id) ?? now;
    this.#claimableSince.set(row.id, since);
    this.longestIdleMs = Math.max(this.longestIdleMs, now - since);
    if (now - since > IDLE_LIMIT_MS) this.broken.push(`task ${row.id} could have been started for ${(now - since) / 1000} s`);
  }

  /** The daemon's own words against what the simulation knows. */
  #checkReason(daemon: SimulatedDaemon, row: LiveRow, blocked: boolean): void {
    const { clock } = this.world;
    const facts = { ...daemon, clock, rootSignal: this.stop.signal, state: () => null, pollIntervalMs: POLL_MS, mayClaim: () => true };
    const { reason } = waitReason(facts, { ...row, created_at: new Date(row.created_at).toISOString() });
    this.reasons[reason] = (this.reasons[reason] ?? 0) + 1;
    const attempt = daemon.attempts.get(row.runtime_id);
    const since = Math.max(this.#released.get(row.agent_id) ?? 0, this.#lastLost);
    // Blocked by a rule now, or by one that was lifted since the server was last asked.
    const heldBack = blocked || (attempt !== undefined && since >= attempt.at) || (attempt !== undefined && clock.now() - this.#lastLost < LEASE_MS + POLL_MS);
    const truth: Readonly<Record<string, boolean>> = {
      starting: daemon.dispatcher.has(row.id),
      lost_claim: row.status === "dispatched" && !daemon.dispatcher.has(row.id),
      no_slot: daemon.dispatcher.size + daemon.barrier.claimsInFlight >= 1 && daemon.slots.freeCount === 0,
      server_failed: attempt?.outcome === "refused",
      uncertain_claim: attempt?.outcome === "lost",
      not_asked_yet: attempt === undefined || attempt.at < row.created_at || daemon.barrier.claimsInFlight > 0,
      next_turn: attempt?.outcome === "full",
      agent_busy: heldBack && daemon.dispatcher.agentTasks(row.agent_id) > 0,
      held_by_server: heldBack,
    };
    if (truth[reason] !== true) this.broken.push(`task ${row.id}: "${reason}" is not true (blocked ${blocked}, attempt ${JSON.stringify(attempt)}, created ${row.created_at}, now ${clock.now()})`);
  }

  result(startMs: number): SimulationResult {
    const { completed, started, claims, requests, lostAnswers, restarts, lostWakes } = this.counts;
    const hours = (this.world.clock.now() - startMs) / 3_600_000;
    return { seed: this.#size.seed, completed, started, claims, requests, lostAnswers, restarts, lostWakes, hours, reasons: this.reasons, longestIdle: this.longestIdleMs / 1000, broken: [...new Set(this.broken)] };
  }
}

/**
 * Daemons with their real claim loops against the server's real claim rules on a real database, over held time: tasks arrive
 * in waves, wake-ups and answers get lost, the server restarts. Ends when all tasks have ended, or with what is broken.
 */
export async function simulateClaims(size: SimulationSize): Promise<SimulationResult> {
  const world = await taskWorld();
  const simulation = new Simulation(world, size);
  const { clock } = world;
  const start = clock.now();
  const limit = start + 48 * 3_600_000;
  let nextRestart = start + simulation.between(40_000, 120_000);
  for (let step = 0; clock.now() < limit && simulation.broken.length === 0; step += 1) {
    const left = size.tasks - simulation.counts.inserted;
    // More than the daemons can take; everything at once only with a backlog.
    const enough = simulation.counts.inserted - simulation.counts.completed > MOST_WAITING;
    const wave = left === 0 ? 0 : size.backlog === true ? left : enough ? 0 : simulation.random() < 0.1 ? Math.min(left, simulation.between(10, 60)) : Math.min(left, simulation.between(0, 6));
    for (let each = 0; each < wave; each += 1) simulation.enqueue();
    if (step % 6 === 0) simulation.beat();
    if (clock.now() >= nextRestart) {
      nextRestart = clock.now() + simulation.between(300_000, 1_200_000);
      void simulation.restart();
    }
    await clock.advance(SAMPLE_MS);
    simulation.sample();
    if (left === 0 && simulation.counts.completed >= size.tasks && simulation.daemons.every((daemon) => daemon.dispatcher.size === 0)) break;
  }
  simulation.stop.abort();
  // Claims under way, late reconnections.
  await clock.advance(120_000);
  await Promise.all(simulation.daemons.map((daemon) => daemon.done));
  return simulation.result(start);
}

import { openDatabase, systemClock } from "../../../src/lib/platform/index.ts";
import { openStateReader } from "../../../src/lib/state/open.ts";
import { join } from "node:path";
import { seeded } from "../seeded.ts";
import { waitFor } from "../wait.ts";
import { type Findings, examine } from "./oracle.ts";
import { ChaosWorld } from "./world.ts";

export interface ChaosPlan {
  readonly seed: number;
  readonly tasks: number;
  readonly daemonKills: number;
  readonly serverStops: number;
  /** Times the state file is out of space, and times its disk fails. */
  readonly faults: number;
  readonly concurrency: number;
  readonly transport: "child" | "host";
  /** Pause between two blows, milliseconds: from half of it to one and a half. */
  readonly paceMs: number;
  /** Share of network packets on which a connection is cut. */
  readonly cutShare: number;
  readonly limitMs: number;
}

export interface ChaosResult extends Findings {
  readonly seed: number;
  readonly seconds: number;
  readonly daemonStarts: number;
  readonly cuts: number;
  readonly exitCode: number | null;
  readonly left: { readonly reports: number; readonly dead: number; readonly processes: number };
}

type Blow = "kill-daemon" | "stop-server" | "kill-server" | "full" | "io";

/** Tasks of the example agent while everything around them is killed, stopped, cut and filled up, in the order the seed says. */
export async function chaosRun(home: string, plan: ChaosPlan): Promise<ChaosResult> {
  const begin = Date.now();
  const random = seeded(plan.seed);
  const world = await ChaosWorld.create(home, seeded(plan.seed + 1));
  try {
    await world.setUp(plan.concurrency, plan.transport);
    makePatient(world.serverDir);
    world.startDaemon();
    await startIssues(world, plan.tasks);
    world.proxy.share = plan.cutShare;
    for (const blow of shuffled(blowsOf(plan), random)) {
      await systemClock.sleep(plan.paceMs * (0.5 + random()));
      await strike(world, blow, random);
    }
    world.proxy.share = 0;
    await world.startServer();
    await waitFor("all tasks to end and all reports to be delivered", () => settled(world), plan.limitMs - (Date.now() - begin));
    const exitCode = await world.stopDaemon();
    const summary = outboxOf(world);
    return {
      ...examine(world.serverDir, world.logs, world.witness()),
      seed: plan.seed,
      seconds: Math.round((Date.now() - begin) / 1000),
      daemonStarts: world.starts,
      cuts: world.proxy.cuts,
      exitCode,
      left: { reports: summary.queued + summary.inflight + summary.ambiguous, dead: summary.dead, processes: world.processes().filter((pid) => pid !== world.serverPid).length },
    };
  } finally {
    await world.tearDown();
  }
}

/** The budget of attempts is not what is tried here: a task whose daemon was killed is repeated as often as it takes. */
function makePatient(serverDir: string): void {
  const db = openDatabase(join(serverDir, "server.sqlite"));
  db.exec("CREATE TRIGGER patient AFTER INSERT ON task WHEN NEW.max_attempts < 1000 BEGIN UPDATE task SET max_attempts = 1000 WHERE id = NEW.id; END");
  db.close();
}

async function startIssues(world: ChaosWorld, count: number): Promise<void> {
  const { api } = world;
  if (api === null) throw new Error("not set up");
  const runtime = await waitFor("the agent's runtime", async () => (await api.runtimes()).find((one) => one.status === "online"), 30_000);
  const agent = await api.createAgent({ name: "Echo", runtime_id: runtime.id, visibility: "workspace", max_concurrent_tasks: 50 });
  for (let n = 1; n <= count; n += 1) {
    const description = `echo: messages ${5 + (n % 40)}\n`;
    await api.createIssue({ title: `Issue ${n}`, description, assignee_type: "agent", assignee_id: agent.id });
  }
}

function blowsOf(plan: ChaosPlan): Blow[] {
  const some = (blow: Blow, count: number): Blow[] => Array<Blow>(count).fill(blow);
  const stops = Math.ceil(plan.serverStops / 2);
  return [
    ...some("kill-daemon", plan.daemonKills),
    ...some("stop-server", stops),
    ...some("kill-server", plan.serverStops - stops),
    ...some("full", plan.faults),
    ...some("io", plan.faults),
  ];
}

async function strike(world: ChaosWorld, blow: Blow, random: () => number): Promise<void> {
  switch (blow) {
    case "kill-daemon":
      return world.killDaemon();
    case "stop-server":
    case "kill-server":
      await world.stopServer(blow === "stop-server" ? "SIGTERM" : "SIGKILL");
      await systemClock.sleep(200 + random() * 1500);
      return world.startServer();
    case "full":
    case "io":
      world.fault({ kind: blow, ms: 500 + Math.floor(random() * 2000) });
      return;
  }
}

/** True when no task is open on the server and nothing waits here. */
function settled(world: ChaosWorld): boolean {
  const db = openDatabase(join(world.serverDir, "server.sqlite"), { readOnly: true });
  try {
    const open = Number(db.scalar("SELECT count(*) FROM task WHERE status NOT IN ('completed', 'failed', 'cancelled')"));
    if (open > 0) return false;
  } finally {
    db.close();
  }
  const { queued, inflight, ambiguous } = outboxOf(world);
  return queued + inflight + ambiguous === 0;
}

function outboxOf(world: ChaosWorld): { queued: number; inflight: number; ambiguous: number; dead: number } {
  const reader = openStateReader({ stateDir: world.stateDir });
  if (reader === null) throw new Error("no state file");
  try {
    return reader.outboxSummary();
  } finally {
    reader.close();
  }
}

function shuffled<T>(items: readonly T[], random: () => number): T[] {
  const all = items.map((item) => ({ item, at: random() }));
  return all.sort((a, b) => a.at - b.at).map(({ item }) => item);
}

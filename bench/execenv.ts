import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { collectGarbage, prepareEnvironment, reuseEnvironment, surveyRoot, writeGcMeta } from "../src/lib/execenv/index.ts";
import { healEnvironment } from "../src/lib/execenv/checks/index.ts";
import { systemClock } from "../src/lib/platform/index.ts";
import { silentLogger } from "../src/lib/platform/logger.ts";
import { type Figure, figure, quantile } from "./figures.ts";

const bin = join(import.meta.dirname, "..", "bin", "run.js");
const WORKSPACE = "00000000-0000-4000-8000-0000000000aa";
const MANY = 2000;
const ROUNDS = 200;

/** Environments: continuing in a healthy one, and looking at very many. */
export async function execenvFigures(): Promise<Figure[]> {
  const base = mkdtempSync(join(tmpdir(), "multica-bench-env-"));
  try {
    const place = { root: join(base, "workspaces"), home: join(base, "home") };
    mkdirSync(join(place.home, ".codex"), { recursive: true });
    writeFileSync(join(place.home, ".codex", "auth.json"), "{}");
    writeFileSync(join(place.home, ".codex", "config.toml"), 'model = "gpt-5"\n[features]\nx = true\n');
    return [...(await reuseFigures(place)), ...(await manyFigures(place))];
  } finally {
    rmSync(base, { recursive: true, force: true });
  }
}

interface Place {
  readonly root: string;
  readonly home: string;
}

function inputOf(place: Place, taskId: string) {
  const host = { env: {}, home: place.home, platform: "linux" as const };
  const task = { issueId: "issue", agentId: "agent", agentName: "Ada" };
  return { workspacesRoot: place.root, workspaceId: WORKSPACE, taskId, provider: "codex", task, host, now: () => Date.now(), logger: silentLogger };
}

async function reuseFigures(place: Place): Promise<Figure[]> {
  const input = inputOf(place, "00000000-0000-4000-8000-000000000001");
  const first = await prepareEnvironment(input);
  first.release();
  const target = { root: first.root, workspacesRoot: place.root, host: input.host, now: input.now, logger: silentLogger };
  const samples: number[] = [];
  const memory: number[] = [];
  for (let round = -20; round < ROUNDS; round += 1) {
    const start = performance.now();
    const again = await reuseEnvironment({ ...input, priorWorkDir: first.workdir });
    again?.release();
    const report = await healEnvironment(target);
    if (again === null || report.status !== "ok") throw new Error("the healthy environment was not continued");
    if (round >= 0) samples.push(performance.now() - start);
    memory.push(process.memoryUsage().rss);
  }
  await writeGcMeta({ root: first.root, workspaceId: WORKSPACE, taskId: input.taskId, task: input.task, nowMs: Date.now() });
  const growth = ((memory.at(-1) ?? 0) - (memory[Math.floor(memory.length / 2)] ?? 0)) / (1 << 20);
  return [
    figure("execenv: reuse + heal, healthy home", quantile(samples, 0.5), "ms", { budget: 15, detail: { p95: Math.round(quantile(samples, 0.95) * 10) / 10 } }),
    figure(`execenv: memory grown by ${ROUNDS / 2} reuses`, Math.max(0, growth), "MB", { budget: 8 }),
  ];
}

async function manyFigures(place: Place): Promise<Figure[]> {
  const workspace = join(place.root, WORKSPACE);
  for (let count = 2; count <= MANY; count += 1) cpSync(join(workspace, "000000000001"), join(workspace, String(count).padStart(12, "0")), { recursive: true, verbatimSymlinks: true });
  const env = { PATH: process.env["PATH"] ?? "", HOME: place.home, MULTICA_HOME: join(place.home, ".multica"), MULTICA_WORKSPACES_ROOT: place.root };
  const lists: number[] = [];
  for (let round = 0; round < 5; round += 1) {
    const start = performance.now();
    const result = spawnSync(process.execPath, [bin, "execenv", "list", "--json"], { env, encoding: "utf8", maxBuffer: 64 << 20 });
    lists.push(performance.now() - start);
    if (result.status !== 0) throw new Error(result.stderr);
    const { envs } = JSON.parse(result.stdout) as { envs: unknown[] };
    if (envs.length !== MANY) throw new Error(`${envs.length} environments listed, not ${MANY}`);
  }
  const before = process.memoryUsage().heapUsed;
  const start = performance.now();
  const limits = { ttlMs: 1, orphanTtlMs: 3_600_000, artifactTtlMs: 3_600_000, completedTaskTtlMs: 0, artifactPatterns: ["node_modules"] };
  const ask = (parents: readonly { kind: string; id: string }[]) =>
    Promise.resolve(new Map(parents.map(({ kind, id }) => [`${kind}:${id}`, { kind: "found", status: "in_progress", changedAtMs: null } as const])));
  const reports = await collectGarbage({ workspacesRoot: place.root, limits, ask, dryRun: true, clock: systemClock, env });
  const scanMs = performance.now() - start;
  if (reports.length !== MANY || surveyRoot(place.root, { nowMs: Date.now() }).length !== MANY) throw new Error("the collector did not see all");
  return [
    figure(`execenv: list of ${MANY}`, quantile(lists, 0.5), "ms", { budget: 2000 }),
    figure("execenv: gc scan", scanMs / (MANY / 1000), "ms per 1,000 roots", { budget: 500, detail: { roots_per_s: Math.round(MANY / (scanMs / 1000)), heap_mb: Math.round((process.memoryUsage().heapUsed - before) / (1 << 20)) } }),
  ];
}

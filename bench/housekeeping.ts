import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { collectGarbage } from "../src/lib/execenv/index.ts";
import { systemClock } from "../src/lib/platform/index.ts";
import { ProductHome } from "../test/support/product-home.ts";
import { waitFor } from "../test/support/wait.ts";
import { type Figure, figure } from "./figures.ts";
import { residentMb } from "./processes.ts";

const ENVIRONMENTS = 10_000;
const RUNTIMES = 200;

/** The collector over very many environments, and a daemon with very many runtimes. */
export async function housekeepingFigures(): Promise<Figure[]> {
  return [...(await collectorFigures()), await runtimesFigure()];
}

async function collectorFigures(): Promise<Figure[]> {
  const base = mkdtempSync(join(tmpdir(), "multica-bench-gc-"));
  try {
    const root = join(base, "workspaces");
    for (let at = 0; at < ENVIRONMENTS; at += 1) makeEnvironment(join(root, `workspace-${at % 10}`, String(at).padStart(12, "0")), at);
    const cycle = async (status: string): Promise<{ seconds: number; cleaned: number }> => {
      const start = performance.now();
      const reports = await collectGarbage({
        workspacesRoot: root,
        limits: { ttlMs: 1, orphanTtlMs: 3_600_000, artifactTtlMs: 3_600_000, completedTaskTtlMs: 0, artifactPatterns: ["node_modules"] },
        ask: (parents) => Promise.resolve(new Map(parents.map(({ kind, id }) => [`${kind}:${id}`, { kind: "found", status, changedAtMs: 0 } as const]))),
        dryRun: false,
        clock: systemClock,
        env: { PATH: process.env["PATH"] ?? "", HOME: base },
      });
      if (reports.length !== ENVIRONMENTS) throw new Error(`the collector saw ${reports.length} environments`);
      return { seconds: (performance.now() - start) / 1000, cleaned: reports.filter((report) => report.status === "cleaned").length };
    };
    const before = process.memoryUsage().rss;
    const look = await cycle("in_progress");
    const grown = (process.memoryUsage().rss - before) / (1 << 20);
    const clean = await cycle("done");
    if (look.cleaned !== 0 || clean.cleaned !== ENVIRONMENTS) throw new Error(`${clean.cleaned} environments were cleaned`);
    return [
      figure("collector: 10,000 environments looked at", look.seconds, "s", { budget: 5, detail: { roots_per_s: ENVIRONMENTS / look.seconds, memory_grown_mb: grown } }),
      figure("collector: 10,000 environments deleted", clean.seconds, "s", { detail: { roots_per_s: ENVIRONMENTS / clean.seconds } }),
    ];
  } finally {
    rmSync(base, { recursive: true, force: true });
  }
}

function makeEnvironment(path: string, at: number): void {
  mkdirSync(join(path, "workdir"), { recursive: true });
  const ids = { workspace_id: `workspace-${at % 10}`, issue_id: `issue-${at}`, agent_id: "agent", task_id: `task-${at}` };
  writeFileSync(join(path, ".multica_env.json"), JSON.stringify({ managed_by: "multica", provider: "codex", ...ids }));
  writeFileSync(join(path, ".gc_meta.json"), JSON.stringify({ kind: "issue", ...ids, completed_at: new Date().toISOString() }));
  writeFileSync(join(path, "workdir", "notes.md"), "notes\n");
}

/** 200 custom profiles of one workspace: every one a runtime with a heartbeat of its own. */
async function runtimesFigure(): Promise<Figure> {
  const home = mkdtempSync(join(tmpdir(), "multica-bench-"));
  const product = new ProductHome({ home });
  try {
    await product.setUp({ daemon: false });
    const api = product.api();
    const workspaceId = product.settings().workspace_id;
    const command = join(home, "agent");
    writeFileSync(command, "#!/bin/sh\necho 1.0.0\n");
    chmodSync(command, 0o755);
    const ids: string[] = [];
    for (let at = 0; at < RUNTIMES; at += 1) {
      ids.push((await api.createProfile(workspaceId, { display_name: `Profile ${at}`, protocol_family: "acp", command_name: "agent", enabled: true })).id);
    }
    const file = join(product.stateDir, "config.json");
    const settings = JSON.parse(readFileSync(file, "utf8")) as Record<string, unknown>;
    writeFileSync(file, JSON.stringify({ ...settings, profile_command_overrides: Object.fromEntries(ids.map((id) => [id, command])) }));
    const start = performance.now();
    await product.json(["daemon", "start", "--port", "0", "--wait", "120s"]);
    await waitFor("all runtimes to be online", async () => (await api.runtimes()).filter((one) => one.profile_id !== null && one.status === "online").length === RUNTIMES, 120_000);
    const seconds = (performance.now() - start) / 1000;
    await new Promise((resolve) => setTimeout(resolve, 5000));
    return figure("daemon with 200 runtimes: resident", residentMb(product.daemonInfo().pid), "MB", { budget: 200, detail: { start_s: seconds } });
  } finally {
    await product.tearDown();
    rmSync(home, { recursive: true, force: true });
  }
}

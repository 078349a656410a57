import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { type ExecParts, type ExecService, createExecService } from "../src/lib/exec/index.ts";
import { processEnv, systemClock } from "../src/lib/platform/index.ts";
import { silentLogger } from "../src/lib/platform/logger.ts";
import { type Figure, figure, quantile } from "./figures.ts";

const RUNS = 15;
const FLOOD_BYTES = 256 << 20;
const THREAD = "op:bench";
const HOST = join(import.meta.dirname, "..", "dist", "lib", "exec", "host", "main.js");

/** Exec hosts: how soon one is ready, how soon a process is attached again, what one weighs, how much goes through it. */
export async function execFigures(): Promise<Figure[]> {
  const stateDir = mkdtempSync(join(tmpdir(), "mx-bench-"));
  const parts: ExecParts = { stateDir, instanceId: "bench", epoch: 1, journal: null, clock: systemClock, logger: silentLogger, env: processEnv(), hostEntry: HOST };
  const service = createExecService(parts);
  try {
    const ready = await samples(() => start(service, "exec sleep 1000"));
    const weights = service.list().map((record) => weight(record.dir));
    const moved = await samples(async () => {
      await service.detach(THREAD);
      await service.reattach(THREAD);
    });
    const later = createExecService({ ...parts, epoch: 2 });
    const adoptedAt = performance.now();
    await later.adopt();
    const adoption = performance.now() - adoptedAt;
    await later.shutdown("terminate");
    return [
      figure("exec host ready", quantile(ready, 0.5), "ms", { budget: 250, detail: { p95: Math.round(quantile(ready, 0.95)) } }),
      figure("exec reattach", quantile(moved, 0.5), "ms", { budget: 50, detail: { processes: RUNS } }),
      figure(`exec adoption of ${RUNS}`, adoption, "ms"),
      figure("exec host resident", quantile(weights.map((one) => one.residentMib), 0.5), "MiB", { budget: 90 }),
      figure("exec host private", quantile(weights.map((one) => one.privateMib), 0.5), "MiB"),
      ...(await throughput(stateDir)),
    ];
  } finally {
    await service.shutdown("terminate");
    rmSync(stateDir, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function start(service: ExecService, script: string): Promise<string> {
  const owner = { kind: "operator" } as const;
  const env = { PATH: processEnv()["PATH"] ?? "/usr/bin:/bin" };
  const { record } = await service.start({ threadId: THREAD, owner, argv: ["sh", "-c", script], cwd: "/", env, limits: { rate: 1 << 30 } }, { yieldMs: 0 });
  return record.process_id;
}

async function samples(work: () => Promise<unknown>): Promise<number[]> {
  const times: number[] = [];
  for (let run = 0; run < RUNS; run += 1) {
    const startedAt = performance.now();
    await work();
    times.push(performance.now() - startedAt);
  }
  return times;
}

/** Through a host and its log, against a plain pipe of the same command. */
async function throughput(stateDir: string): Promise<Figure[]> {
  const script = `head -c ${FLOOD_BYTES} /dev/zero`;
  const plainAt = performance.now();
  await promisify(execFile)("sh", ["-c", `${script} | cat > /dev/null`]);
  const plain = FLOOD_BYTES / (1 << 20) / ((performance.now() - plainAt) / 1000);
  const service = createExecService({ stateDir: join(stateDir), instanceId: "bench", epoch: 3, journal: null, clock: systemClock, logger: silentLogger, env: processEnv(), hostEntry: HOST });
  const hostAt = performance.now();
  const ended = new Promise<void>((resolve) => service.onEnd(() => resolve()));
  await start(service, script);
  await ended;
  const through = FLOOD_BYTES / (1 << 20) / ((performance.now() - hostAt) / 1000);
  await service.shutdown("terminate");
  return [figure("exec throughput", through, "MiB/s", { detail: { plain_pipe: Math.round(plain) } })];
}

/** Memory of a host as the kernel counts it; zero where it does not say. */
function weight(dir: string): { readonly residentMib: number; readonly privateMib: number } {
  const { host_pid: pid } = JSON.parse(readFileSync(join(dir, "meta.json"), "utf8")) as { host_pid: number };
  try {
    const text = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
    const kib = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(text)?.[1] ?? 0);
    return { residentMib: kib("Rss") / 1024, privateMib: (kib("Private_Clean") + kib("Private_Dirty")) / 1024 };
  } catch {
    return { residentMib: 0, privateMib: 0 };
  }
}

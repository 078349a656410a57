import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type Server, createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker, isMainThread, parentPort } from "node:worker_threads";
import { type Figure, figure, quantile } from "./figures.ts";

const bin = join(import.meta.dirname, "..", "bin", "run.js");
const ROUNDS = 21;
const ISSUE = "00000000-0000-4000-8000-000000000001";

/**
 * Start-up of the commands that agents call most, as a ratio to a bare `node -e 0` of the same round. The server and the
 * daemon are answered by a stub in another thread, so that only our own time is measured (and none of git's).
 */
export async function startUp(): Promise<Figure[]> {
  const stub = await startStub();
  const home = mkdtempSync(join(tmpdir(), "multica-bench-"));
  try {
    mkdirSync(join(home, ".multica"));
    writeFileSync(join(home, ".multica", "config.json"), "{}\n");
    const env = {
      PATH: process.env["PATH"] ?? "",
      HOME: home,
      MULTICA_HOME: join(home, ".multica"),
      MULTICA_SERVER_URL: `http://127.0.0.1:${stub.port}`,
      MULTICA_DAEMON_PORT: String(stub.port),
      MULTICA_TOKEN: `mat_${"0".repeat(40)}`,
      MULTICA_WORKSPACE_ID: ISSUE,
      MULTICA_TASK_ID: ISSUE,
      MULTICA_AGENT_ID: ISSUE,
    };
    const cases: Record<string, readonly string[]> = {
      node: ["-e", "0"],
      "--version": [bin, "--version"],
      "issue get": [bin, "issue", "get", ISSUE, "--output", "json"],
      "repo checkout": [bin, "repo", "checkout", "https://example.invalid/a.git"],
    };
    const samples = measure(cases, env, home);
    const base = quantile(samples["node"] ?? [], 0.5);
    const ratio = (name: string, budget?: number): Figure => {
      const ratios = (samples[name] ?? []).map((value, index) => value / (samples["node"]?.[index] ?? base));
      return figure(`start-up: ${name}`, quantile(ratios, 0.5), "× node -e 0", {
        ...(budget === undefined ? {} : { budget }),
        detail: { median_ms: Math.round(quantile(samples[name] ?? [], 0.5)), node_ms: Math.round(base) },
      });
    };
    return [ratio("--version", 2), ratio("issue get", 5), ratio("repo checkout", 4)];
  } finally {
    rmSync(home, { recursive: true, force: true });
    await stub.stop();
  }
}

function measure(cases: Record<string, readonly string[]>, env: Record<string, string>, cwd: string): Record<string, number[]> {
  const samples: Record<string, number[]> = {};
  for (let round = -2; round < ROUNDS; round += 1) {
    for (const [name, args] of Object.entries(cases)) {
      const start = performance.now();
      const result = spawnSync(process.execPath, [...args], { env, cwd, encoding: "utf8" });
      const ms = performance.now() - start;
      if (result.status !== 0) throw new Error(`${name} ended with ${result.status}: ${result.stderr}`);
      // The first rounds fill the compile cache and the file cache.
      if (round >= 0) (samples[name] ??= []).push(ms);
    }
  }
  return samples;
}

/** `spawnSync` blocks this thread, so the stub answers from another one. */
function startStub(): Promise<{ port: number; stop: () => Promise<void> }> {
  const worker = new Worker(new URL(import.meta.url));
  return new Promise((resolve, reject) => {
    worker.once("error", reject);
    worker.once("message", (port: number) => resolve({ port, stop: async () => void (await worker.terminate()) }));
  });
}

if (!isMainThread) {
  const server: Server = createServer((request, response) => {
    request.resume();
    request.on("end", () => {
      const body = request.url?.startsWith("/repo/")
        ? { path: "/tmp/a", branch_name: "agent/a/1" }
        : { id: ISSUE, identifier: "A-1", title: "A", status: "todo", priority: "none" };
      response.writeHead(200, { "Content-Type": "application/json" });
      response.end(JSON.stringify(body));
    });
  });
  server.listen(0, "127.0.0.1", () => {
    const address = server.address();
    parentPort?.postMessage(typeof address === "object" && address !== null ? address.port : 0);
  });
}

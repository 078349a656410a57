import { spawn } from "node:child_process";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { parse } from "smol-toml";
import { describe, expect, it } from "vitest";
import { prepareEnvironment, reuseEnvironment } from "../../../src/lib/execenv/index.ts";
import { machine, prepareInput, put } from "../../support/execenv.ts";

const CHILD = new URL("../../support/env-child.ts", import.meta.url).pathname;
const FIRST = "01980000-0000-7000-8000-00000000aaaa";
const SECOND = "01980000-0000-7000-8000-00000000bbbb";
type Place = ReturnType<typeof machine>;

/** Starts the child and kills it `afterMs` after it began; the last word it said. */
async function killed(place: Place, taskId: string, prior: string, afterMs: number): Promise<string> {
  const { now: _now, logger: _logger, ...input } = prepareInput(place, taskId, { provider: "codex" });
  const child = spawn(process.execPath, [CHILD, JSON.stringify(input), prior], { stdio: ["pipe", "pipe", "ignore"] });
  let said = "";
  const begun = new Promise<void>((resolve) => child.stdout.on("data", (chunk: Buffer) => (said += chunk.toString(), resolve())));
  const gone = new Promise<void>((resolve) => child.on("exit", () => resolve()));
  await begun;
  const until = performance.now() + afterMs;
  // Busy waiting: the moments that matter lie fractions of a millisecond apart.
  while (performance.now() < until) await new Promise((resolve) => setImmediate(resolve));
  child.kill("SIGKILL");
  await gone;
  return said.trim().split("\n").at(-1) ?? "";
}

function wholeFiles(root: string): void {
  for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
    if (entry.isFile() && entry.name.endsWith(".json")) JSON.parse(readFileSync(join(entry.parentPath, entry.name), "utf8"));
    if (entry.isFile() && entry.name === "config.toml") parse(readFileSync(join(entry.parentPath, entry.name), "utf8"));
  }
}

describe("kill -9 at any step", () => {
  const delays = [0, 1, 3, 8, 20];

  it.each(delays)("of a preparation (after %s ms) leaves a root that the same task can be prepared in", async (afterMs) => {
    const place = machine();
    put(join(place.shared, "config.toml"), 'model = "m"\n');
    await killed(place, FIRST, "", afterMs);
    wholeFiles(place.root.replace(/workspaces$/, ""));
    const environment = await prepareEnvironment(prepareInput(place, FIRST, { provider: "codex" }));
    expect(existsSync(join(environment.workdir, ".multica/daemon_task_context.json"))).toBe(true);
    environment.release();
  });

  it.each(delays)("of a reuse (after %s ms) leaves a root that can be reused, with all work in it", async (afterMs) => {
    const place = machine();
    const first = await prepareEnvironment(prepareInput(place, FIRST, { provider: "codex" }));
    put(join(first.workdir, "repo", "work.txt"), "uncommitted");
    first.release();
    await killed(place, SECOND, first.workdir, afterMs);
    wholeFiles(first.root);
    const again = await reuseEnvironment({ ...prepareInput(place, SECOND, { provider: "codex" }), priorWorkDir: first.workdir });
    expect(again).toMatchObject({ reused: true, workdir: first.workdir });
    expect(readFileSync(join(first.workdir, "repo", "work.txt"), "utf8")).toBe("uncommitted");
    again?.release();
  });
});

// Does to environments what the daemon and the operator do, one order a line: a planted pipe must not hold the tests.
import { lstatSync, lutimesSync } from "node:fs";
import { basename, dirname } from "node:path";
import { createInterface } from "node:readline";
import { errorText, isMulticaError } from "../../../src/lib/core/index.ts";
import {
  type PrepareInput,
  type TaskContext,
  cleanEnvironment,
  collectGarbage,
  endLocalWork,
  healEnvironment,
  inspectOne,
  leaveLocalDirectory,
  listEnvironments,
  prepareEnvironment,
  reuseEnvironment,
  surveyRoot,
  writeBrief,
  writeGcMeta,
} from "../../../src/lib/execenv/index.ts";
import { summarise } from "../../../src/lib/execenv/ops/survey.ts";
import { systemClock } from "../../../src/lib/platform/index.ts";
import { silentLogger } from "../../../src/lib/platform/logger.ts";
import type { AttackOrder } from "./attacks.ts";

const GC = { ttlMs: 1, orphanTtlMs: 3_600_000, artifactTtlMs: 1, completedTaskTtlMs: 0, artifactPatterns: ["node_modules", "inner"] };

async function run(order: AttackOrder): Promise<string> {
  const { root, workspaces, home } = order.patient;
  const machine = { clock: systemClock, env: {} };
  const target = { root, workspacesRoot: workspaces, host: { env: {}, home, platform: "linux" as const }, now: () => Date.now(), logger: silentLogger };
  const input = { ...(order.input as PrepareInput), now: () => Date.now(), logger: silentLogger };
  const task: TaskContext = input.task;
  const env = (): ReturnType<typeof summarise> => summarise(workspaces, basename(dirname(root)), basename(root), { nowMs: Date.now() });
  const cleaning = { workspacesRoot: workspaces, artifactPatterns: GC.artifactPatterns, discardWork: true, dryRun: false, ...machine };
  switch (order.do) {
    case "inspect":
      return JSON.stringify([await inspectOne(env(), target, machine), surveyRoot(workspaces, { nowMs: Date.now() })]);
    case "list":
      return JSON.stringify(await Promise.resolve(listEnvironments).then(() => surveyRoot(workspaces, { nowMs: Date.now() })));
    case "heal":
      return JSON.stringify(await healEnvironment(target, { adoptSessions: true, resetConfig: true, local: true }));
    case "reuse":
    case "prepare": {
      const environment = order.do === "prepare" ? await prepareEnvironment(input) : await reuseEnvironment({ ...input, priorWorkDir: order.priorWorkDir ?? "" });
      if (environment === null) return "declined";
      await writeBrief(environment, { contextFile: "AGENTS.md", task });
      environment.release();
      return order.do;
    }
    case "end":
      // What the daemon does when a task is over, whatever its agent made of the environment.
      await writeBrief({ root, workdir: `${root}/workdir`, localDirectory: false, skills: { directory: "x", placed: [] } }, { contextFile: "AGENTS.md", task }).catch(() => undefined);
      await leaveLocalDirectory(root).catch(() => undefined);
      await endLocalWork(root, machine).catch(() => undefined);
      return String(await writeGcMeta({ root, workspaceId: input.workspaceId, taskId: input.taskId, task, nowMs: Date.now() }));
    case "gc":
      // Old enough to be collected, unless the way there leads somewhere else.
      if (!lstatSync(dirname(root)).isSymbolicLink()) lutimesSync(root, 1, 1);
      return JSON.stringify(await collectGarbage({ workspacesRoot: workspaces, limits: GC, ask: null, dryRun: false, ...machine }));
    case "artifacts":
    case "workdir":
    case "sidecars":
    case "root":
      return JSON.stringify(await cleanEnvironment(env(), { ...cleaning, part: order.do }));
  }
}

process.stdout.write("ready\n");
for await (const line of createInterface({ input: process.stdin })) {
  const answer = await run(JSON.parse(line) as AttackOrder).catch((error: unknown) => `error ${isMulticaError(error) ? error.code : errorText(error)}`);
  process.stdout.write(`${answer.replaceAll("\n", " ")}\n`);
}

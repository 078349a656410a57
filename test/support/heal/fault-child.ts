// Heals one environment with faults injected (HEAL_FAULTS) and says how it went, if it lives.
import { operations } from "./faults.ts";
import { type HealOptions, healEnvironment } from "../../../src/lib/execenv/checks/index.ts";
import { silentLogger } from "../../../src/lib/platform/logger.ts";
import type { Patient } from "./healer.ts";

const { patient, options } = JSON.parse(process.argv[2] ?? "{}") as { patient: Patient; options: HealOptions };
const report = await healEnvironment(
  { root: patient.root, workspacesRoot: patient.workspaces, host: { env: {}, home: patient.home, platform: "linux" }, now: () => Date.now(), logger: silentLogger },
  options,
);
process.stdout.write(JSON.stringify({ report, operations: operations() }));

// Heals environments, one a line on standard input, as another user if argv says so; the answers are the reports.
import { open } from "node:fs/promises";
import { createInterface } from "node:readline";
import { healEnvironment, type HealOptions } from "../../../src/lib/execenv/checks/index.ts";
import { silentLogger } from "../../../src/lib/platform/logger.ts";
import type { Patient } from "./healer.ts";

// No power is cut here: what was forced to the disk and what was not is the same, and the tests are not about the disk.
const handle = await open(import.meta.filename);
(Object.getPrototypeOf(handle) as { sync: () => Promise<void> }).sync = () => Promise.resolve();
await handle.close();

const uid = Number(process.argv[2] ?? "");
if (uid > 0) {
  process.setgroups?.([]);
  process.setgid?.(uid);
  process.setuid?.(uid);
}
for await (const line of createInterface({ input: process.stdin })) {
  const { patient, options } = JSON.parse(line) as { patient: Patient; options: HealOptions };
  const report = await healEnvironment(
    { root: patient.root, workspacesRoot: patient.workspaces, host: { env: {}, home: patient.home, platform: "linux" }, now: () => Date.now(), logger: silentLogger },
    options,
  );
  process.stdout.write(`${JSON.stringify(report)}\n`);
}

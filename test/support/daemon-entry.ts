// Stands for `multica daemon start --foreground`: the daemon as a process of its own, without the command line around it.
import { parseArgs } from "node:util";
import { readSettings, resolveDaemonConfig, resolveStateDir } from "../../src/lib/config/index.ts";
import { errorText, isMulticaError } from "../../src/lib/core/index.ts";
import { runForeground } from "../../src/lib/daemon/foreground.ts";
import { homeDir, processEnv } from "../../src/lib/platform/index.ts";

const { values } = parseArgs({
  allowPositionals: true,
  options: { foreground: { type: "boolean" }, port: { type: "string" }, profile: { type: "string" }, "no-state": { type: "boolean" }, "max-concurrent-tasks": { type: "string" } },
});
const env = processEnv();
const home = homeDir(env);
const profile = values.profile ?? "";
const stateDir = resolveStateDir({ env, profile, home });
try {
  const flags = values.port === undefined ? {} : { port: Number(values.port) };
  const config = resolveDaemonConfig({ flags, env, settings: readSettings(stateDir), profile, stateDir, home });
  // A task that holds a process of its own: what a crash leaves behind.
  const holder = env["TEST_HOLD_TASKS"];
  const runTask = holder === undefined ? {} : { runTask: (await import("./task-holder.ts")).holdTask };
  await runForeground({ config, env, home, version: "9.9.9", noState: values["no-state"] ?? false, ...runTask });
  process.exit(0);
} catch (error) {
  process.stderr.write(`${errorText(error)}\n`);
  process.exit(isMulticaError(error) ? error.exit : 1);
}

// Prepares or reuses one environment and says so: for tests that kill it on the way. argv: JSON of the input, prior workdir or "".
import { prepareEnvironment, reuseEnvironment } from "../../src/lib/execenv/index.ts";
import { silentLogger } from "../../src/lib/platform/logger.ts";

const input = { ...(JSON.parse(process.argv[2] ?? "{}") as Parameters<typeof prepareEnvironment>[0]), now: () => 0, logger: silentLogger };
const priorWorkDir = process.argv[3] ?? "";
process.stdout.write("begin\n");
const environment = priorWorkDir === "" ? await prepareEnvironment(input) : await reuseEnvironment({ ...input, priorWorkDir });
process.stdout.write(environment === null ? "declined\n" : "ready\n");
process.stdin.resume();

// Clones one repository into a cache and prints the outcome as JSON: one of several processes that do so at once.
import { processEnv, systemClock } from "../../../src/lib/platform/index.ts";
import { silentLogger } from "../../../src/lib/platform/logger.ts";
import { createRepoCache } from "../../../src/lib/repos/index.ts";

const [root = "", url = ""] = process.argv.slice(2);
const cache = createRepoCache({ root, clock: systemClock, logger: silentLogger, env: processEnv() });
const outcome = await cache.ensure("ws", url);
process.stdout.write(JSON.stringify(outcome));

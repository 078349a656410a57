// One round of maintenance in a process of its own: another daemon on the same root. Prints its report.
import { processEnv, systemClock } from "../../../src/lib/platform/index.ts";
import { silentLogger } from "../../../src/lib/platform/logger.ts";
import { createRepoCache } from "../../../src/lib/repos/index.ts";

const [root = ""] = process.argv.slice(2);
const cache = createRepoCache({ root, clock: systemClock, logger: silentLogger, env: processEnv() });
const report = await cache.maintain({ evictAfterMs: 0, pack: true, isIdle: () => true, isClaimed: () => true, signal: new AbortController().signal });
process.stdout.write(JSON.stringify(report));

// Makes one checkout in a process of its own, so that a test can kill it in the middle. Says "go" when it begins.
import { processEnv, systemClock } from "../../../src/lib/platform/index.ts";
import { silentLogger } from "../../../src/lib/platform/logger.ts";
import { type CheckoutRequest, createRepoCache } from "../../../src/lib/repos/index.ts";

const [root = "", request = "{}"] = process.argv.slice(2);
const cache = createRepoCache({ root, clock: systemClock, logger: silentLogger, env: processEnv() });
process.stdout.write("go\n");
const outcome = await cache.checkout(JSON.parse(request) as CheckoutRequest).catch((error: unknown) => ({ error: String(error) }));
process.stdout.write(JSON.stringify(outcome));

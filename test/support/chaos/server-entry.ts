// The embedded server as a process, its protection against repeats switched off: `node server-entry.ts <data dir> <port>`.
import { systemClock } from "../../../src/lib/platform/index.ts";
import { runServer } from "../../../src/lib/server/index.ts";

const [dataDir = "", port = "0"] = process.argv.slice(2);
process.exitCode = await runServer({ dataDir, host: "127.0.0.1", port: Number(port), clock: systemClock, version: "1.0.0", audit: true });

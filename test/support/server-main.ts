// Runs the embedded server in the foreground: `node server-main.ts <data dir> <host> <port>`.
import { isMulticaError } from "../../src/lib/core/index.ts";
import { systemClock } from "../../src/lib/platform/index.ts";
import { runServer } from "../../src/lib/server/index.ts";

const [dataDir = "", host = "127.0.0.1", port = "0"] = process.argv.slice(2);
try {
  process.exitCode = await runServer({ dataDir, host, port: Number(port), clock: systemClock, version: "1.2.3" });
} catch (error) {
  process.stderr.write(`Error: ${isMulticaError(error) ? error.message : String(error)}\n`);
  process.exitCode = isMulticaError(error) ? error.exit : 1;
}

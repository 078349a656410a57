// The daemon as a process whose state file can be made to fail from outside: it takes faults as messages.
import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { readSettings, resolveDaemonConfig, resolveStateDir } from "../../../src/lib/config/index.ts";
import { errorText, isMulticaError } from "../../../src/lib/core/index.ts";
import { runForeground } from "../../../src/lib/daemon/foreground.ts";
import { Db, homeDir, processEnv } from "../../../src/lib/platform/index.ts";

/** `full`: the file may not grow; `io`: every write fails as a broken disk does. */
export interface Fault {
  readonly kind: "full" | "io";
  readonly ms: number;
}

const files = new Set<Db>();
let broken = false;
// The edge to the file system is SQLite's: here is where a disk would fail.
const transaction = Reflect.get(Db.prototype, "transaction") as (this: Db, fn: () => unknown) => unknown;
Db.prototype.transaction = function <T>(this: Db, fn: () => T): T {
  if (!this.path.endsWith("state_1.sqlite")) return transaction.call(this, fn) as T;
  files.add(this);
  if (broken) throw Object.assign(new Error("disk I/O error"), { errcode: 10 });
  return transaction.call(this, fn) as T;
};

process.on("message", (fault: Fault) => {
  const open = [...files].filter((db) => db.isOpen);
  if (fault.kind === "io") broken = true;
  else for (const db of open) db.exec(`PRAGMA max_page_count=${String(db.scalar("PRAGMA page_count"))}`);
  setTimeout(() => {
    broken = false;
    for (const db of open) if (db.isOpen) db.exec("PRAGMA max_page_count=4294967294");
  }, fault.ms);
});

const env = processEnv();
const home = homeDir(env);
const stateDir = resolveStateDir({ env, profile: "", home });
// The pulse of the loop: whoever finds gaps in it finds a starved daemon.
setInterval(() => appendFileSync(join(home, "beats"), `${Date.now()}\n`), 200).unref();
try {
  const config = resolveDaemonConfig({ flags: { port: 0 }, env, settings: readSettings(stateDir), profile: "", stateDir, home });
  const script = new URL("../../../bin/run.js", import.meta.url).pathname;
  await runForeground({ config, env, home, version: "1.0.0", self: { node: process.execPath, script } });
  process.exit(0);
} catch (error) {
  process.stderr.write(`${errorText(error)}\n`);
  process.exit(isMulticaError(error) ? error.exit : 1);
}

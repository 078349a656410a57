// A daemon that is there to be killed: starts the commands it is told, prints what it knows of them, and waits.
// argv: state directory, host entry, epoch, JSON of the starts (empty: only adopt).
import { type ExecStart, createExecService } from "../../src/lib/exec/index.ts";
import { processEnv, processIdentity, systemClock } from "../../src/lib/platform/index.ts";
import { openState } from "../../src/lib/state/open.ts";
import { silentLogger } from "./exec-logger.ts";

const [stateDir = "", hostEntry = "", epoch = "1", starts = "[]"] = process.argv.slice(2);
const self = processIdentity(process.pid);
if (self === null) throw new Error("no identity");
const state = await openState({ stateDir, version: "test", clock: systemClock, logger: silentLogger });
await state.beginRun({ identity: self, port: 1 });
const service = createExecService({
  ...{ stateDir, hostEntry, epoch: Number(epoch), instanceId: state.instanceId, journal: state.exec, clock: systemClock, logger: silentLogger, env: processEnv() },
});
await service.adopt();
for (const start of JSON.parse(starts) as ExecStart[]) {
  if (!service.isLoaded(start.threadId)) await service.openThread(start.threadId);
}
await Promise.all((JSON.parse(starts) as ExecStart[]).map((start) => service.start(start, { yieldMs: 0 })));
process.stdout.write(`${JSON.stringify({ ready: true, records: service.list() })}\n`);
systemClock.every(60_000, () => undefined);

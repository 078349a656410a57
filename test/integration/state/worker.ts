// Opens a state file and does what its first argument says: one of several processes that use it at once.
//   open            opens, prints the schema and the instance, closes
//   hold            begins a run, prints it, holds the lease until it is killed
//   die-migrating   kills itself in the middle of the second migration: its statements have run, its row is not written
import { processIdentity, currentPid, systemClock } from "../../../src/lib/platform/index.ts";
import { silentLogger } from "../../../src/lib/platform/logger.ts";
import { openState } from "../../../src/lib/state/open.ts";
import { SECOND } from "./migrations.ts";
import { MIGRATIONS } from "../../../src/lib/state/schema.ts";

const [what = "", stateDir = ""] = process.argv.slice(2);
const common = { stateDir, version: "1.0.0", clock: systemClock, logger: silentLogger };
const say = (value: unknown): void => void process.stdout.write(`${JSON.stringify(value)}\n`);

if (what === "open") {
  const state = await openState(common);
  say({ instance: state.instanceId });
  state.close();
} else if (what === "upgrade") {
  const state = await openState({ ...common, migrations: [...MIGRATIONS, SECOND] });
  say({ instance: state.instanceId });
  state.close();
} else if (what === "hold") {
  const state = await openState(common);
  const identity = processIdentity(currentPid());
  if (identity === null) throw new Error("no identity");
  const run = await state.beginRun({ identity, port: 4711 });
  state.insertTask({ task_id: "t1", workspace_id: "w", runtime_id: "r", agent_id: "a", provider: "codex" });
  state.setPhase("t1", "running");
  say({ ...run, pid: currentPid() });
  setInterval(() => undefined, 1000);
} else if (what === "die-migrating") {
  let read = 0;
  // Its text is read first to be run, and then for the checksum in its row.
  const sql = (): string => ((read += 1) === 1 ? SECOND.sql : (process.kill(process.pid, "SIGKILL"), ""));
  const dying = { ...SECOND, get sql(): string { return sql(); } };
  await openState({ ...common, migrations: [...MIGRATIONS, dying] });
}

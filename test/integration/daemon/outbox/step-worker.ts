// Reports one task through state file and outbox and kills itself before its n-th step: `node step-worker.ts <dir> <url> <n>`.
// A step is a call of the journal or of the server; between two of them the process dies as well as before the later one.
import { createDaemonApi } from "../../../../src/lib/api/daemon-api.ts";
import { createHttp } from "../../../../src/lib/api/ky-http.ts";
import { Outbox } from "../../../../src/lib/daemon/outbox/outbox.ts";
import { createOutboxSink } from "../../../../src/lib/daemon/outbox/sink.ts";
import { currentPid, processIdentity, systemClock } from "../../../../src/lib/platform/index.ts";
import { silentLogger } from "../../../../src/lib/platform/logger.ts";
import { openState } from "../../../../src/lib/state/open.ts";
import { waitFor } from "../../../support/wait.ts";

const [dir = "", url = "", nth = ""] = process.argv.slice(2);
let step = 0;
const die = (): void => {
  step += 1;
  if (step === Number(nth)) process.kill(process.pid, "SIGKILL");
};

/** Every call of it is a step. */
function counted<T extends object>(target: T): T {
  return new Proxy(target, {
    get(object, key) {
      const value: unknown = Reflect.get(object, key, object);
      if (typeof value !== "function") return value;
      return (...args: unknown[]): unknown => {
        die();
        return Reflect.apply(value, object, args);
      };
    },
  });
}

const clock = systemClock;
const logger = silentLogger;
const file = await openState({ stateDir: dir, version: "1.0.0", clock, logger });
const identity = processIdentity(currentPid());
if (identity === null) throw new Error("no identity");
await file.beginRun({ identity, port: 1 });
file.markLost();
const state = new Proxy(file, {
  get: (object, key) => {
    const value: unknown = Reflect.get(object, key, object);
    if (key === "outbox") return counted(value as object);
    return typeof value === "function" ? (value.bind(object) as unknown) : value;
  },
});
const api = counted(createDaemonApi(createHttp({ serverUrl: url, token: "mul_x", platform: "daemon", clientVersion: "0", os: "linux" })));
const outbox = new Outbox({ state, api, clock, logger });
outbox.start();
file.insertTask({ task_id: "t", workspace_id: "w", runtime_id: "r", agent_id: "a", provider: "codex", phase: "running" });
const sink = createOutboxSink(outbox, { api, clock, logger });
const text = (seq: number) => ({ seq, type: "text", content: `message ${seq}` });
await sink.messages("t", [[text(1), text(2)]]);
await sink.session("t", { session_id: "s", work_dir: "/w" });
for (const seq of [3, 4, 5]) await sink.messages("t", [[text(seq)]]);
const report = { kind: "complete" as const, taskId: "t", body: { output: "done" } };
sink.intend(report, [{ provider: "codex", model: "m", input_tokens: 1, output_tokens: 1, cache_read_tokens: 0, cache_write_tokens: 0 }]);
process.stdout.write("written\n");
await sink.terminal({ ...report, body: { output: "done", branch_name: "b" } });
await waitFor("the outbox to be empty", () => outbox.lanes.size === 0, 20_000);
process.stdout.write(`steps ${step}\n`);
outbox.stop();
file.endRun("clean");
file.close();
process.exit(0);

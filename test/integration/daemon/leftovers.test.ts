import { describe, expect, it, onTestFinished } from "vitest";
import { uuid } from "../../../src/lib/core/index.ts";
import { endLeftovers } from "../../../src/lib/daemon/leftovers.ts";
import { type ProcessIdentity, processIdentity, sendSignal, spawnGroup, systemClock } from "../../../src/lib/platform/index.ts";
import { silentLogger } from "../../../src/lib/platform/logger.ts";
import { openState, openStateReader } from "../../../src/lib/state/open.ts";
import { configFor, testDaemon, testHome } from "../../support/daemon.ts";
import { fakeServer } from "../../support/fake-server.ts";

const parts = { clock: systemClock, logger: silentLogger, graceMs: 200 };

async function sleeper(env: Record<string, string>, script = "exec sleep 1000"): Promise<ProcessIdentity> {
  const child = await spawnGroup({ command: "/bin/sh", args: ["-c", script], cwd: "/", env: { PATH: "/usr/bin:/bin", ...env } });
  onTestFinished(() => void sendSignal(-child.pid, "SIGKILL"));
  return processIdentity(child.pid) ?? expect.unreachable("it has ended");
}

describe("what an earlier run left", () => {
  it("is ended by its identity with its children, also when it ignores SIGTERM [B21]", async () => {
    const agent = await sleeper({}, "trap '' TERM; sleep 1000 & wait; sleep 1000");
    expect(await endLeftovers([{ taskId: uuid(), identity: agent }], parts)).toEqual([]);
    expect(processIdentity(agent.pid)).toBeNull();
  });

  it("is gone when the next daemon is ready, and its task is lost [B21]", async () => {
    const home = testHome();
    const config = configFor(home, { url: (await fakeServer({ newer: true })).url, token: "mul_x" });
    const agent = await sleeper({});
    const state = await openState({ stateDir: config.stateDir, version: "1.0.0", clock: systemClock, logger: silentLogger });
    // A daemon that was killed: its pid is another program's by now.
    await state.beginRun({ identity: { ...agent, startKey: "1" }, port: 1 });
    state.insertTask({ task_id: "t1", workspace_id: "w1", runtime_id: "r", agent_id: "a", provider: "codex", phase: "running" });
    state.updateTask("t1", { agent_pid: agent.pid, agent_start_key: agent.startKey, agent_boot_id: agent.bootId, agent_pgid: agent.pid });
    state.close();
    await testDaemon(home, config, { noState: false });
    expect(processIdentity(agent.pid)).toBeNull();
    const reader = openStateReader({ stateDir: config.stateDir });
    expect([reader?.getTask("t1")?.phase, reader?.listRuns().map((run) => run.stop_reason)]).toEqual(["lost", [null, "crash"]]);
    reader?.close();
  });

  it("is ended by its task's marker when its process was never written down", async () => {
    const taskId = uuid();
    const stray = await sleeper({ MULTICA_TASK_ID: taskId });
    const other = await sleeper({ MULTICA_TASK_ID: uuid() });
    expect(await endLeftovers([{ taskId, identity: null }], parts)).toEqual([]);
    expect(processIdentity(stray.pid)).toBeNull();
    expect(processIdentity(other.pid)).toEqual(other);
  });

  it("is not a stranger that has got the same pid", async () => {
    const stranger = await sleeper({});
    expect(await endLeftovers([{ taskId: uuid(), identity: { ...stranger, startKey: "1" } }], parts)).toEqual([]);
    expect(await endLeftovers([{ taskId: uuid(), identity: { ...stranger, bootId: "another boot" } }], parts)).toEqual([]);
    expect(processIdentity(stranger.pid)).toEqual(stranger);
  });
});

import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { TaskThreads, resolveThread } from "../../../src/lib/daemon/exec/threads.ts";
import { hostLauncher } from "../../../src/lib/exec/launcher.ts";
import { identityAlive, processEnv, processIdentity } from "../../../src/lib/platform/index.ts";
import { command, execWorld, memoryJournal, shell } from "../../support/exec.ts";
import { tempDir } from "../../support/temp.ts";
import { waitFor } from "../../support/wait.ts";

const NOW = { yieldMs: 0 };

describe("a command's own limits", () => {
  it("end it when it has written more than it may, and keep what it wrote", async () => {
    const { service, ends } = execWorld();
    await service.start(shell("while :; do echo 0123456789; done", { limits: { maxBytes: 100_000 } }), NOW);
    const end = await waitFor("the end", () => ends[0]);
    expect(end.record).toMatchObject({ state: "exited", reason: "terminated" });
    expect(end.record.total_bytes).toBeGreaterThan(100_000);
    expect(end.output.startsWith("0123456789\n")).toBe(true);
  });
});

describe("threads of tasks", () => {
  it("leave parked what was parked when attaching again is switched off; by hand it is attached", async () => {
    const { service } = execWorld({ autoReattach: false });
    const thread = "conv:agent:issue";
    await service.openThread(thread);
    await service.start(command(["sleep", "600"], { threadId: thread, keep: true }), NOW);
    expect((await service.closeThread(thread)).detached.process_count).toBe(1);
    expect(await service.openThread(thread)).toMatchObject({ reattached_count: 0, skipped_count: 0 });
    expect(service.list({ threadId: thread })).toMatchObject([{ state: "detached" }]);
    expect(await service.reattach(thread)).toMatchObject({ reattached_count: 1 });
    expect(service.list({ threadId: thread })).toMatchObject([{ state: "attached" }]);
  });

  it("end with the last of the tasks that share one, not with the first", async () => {
    const { service } = execWorld();
    const threads = new TaskThreads();
    const thread = "conv:agent:issue";
    await Promise.all([threads.begin(service, thread), threads.begin(service, thread)]);
    await service.start(command(["sleep", "600"], { threadId: thread }), NOW);
    const [record] = service.list({ threadId: thread });
    const identity = processIdentity(record?.pid ?? 0);
    expect(await threads.end(service, thread)).toBe(0);
    expect(threads.open).toEqual([thread]);
    expect(identity !== null && identityAlive(identity)).toBe(true);
    await threads.end(service, thread);
    expect(threads.open).toEqual([]);
    expect(identity !== null && identityAlive(identity)).toBe(false);
  });

  it("may be named by an agent's own session, which lasts from one task that continues it to the next", async () => {
    const { service } = execWorld();
    const session = "0199c0de-0000-7000-8000-000000000001";
    const named = resolveThread({ thread_id: session }, { exec: service, state: null, open: [] });
    expect(named).toEqual({ kind: "thread", threadId: `session:${session}` });
    const thread = `session:${session}`;
    await expect(service.start(command(["true"], { threadId: thread }), NOW)).rejects.toMatchObject({ code: "thread_not_loaded" });
    await service.openThread(thread);
    const { record } = await service.start(command(["sleep", "600"], { threadId: thread, keep: true }), NOW);
    await service.closeThread(thread);
    expect(await service.openThread(thread)).toMatchObject({ reattached_count: 1 });
    expect(service.list({ threadId: thread })).toMatchObject([{ process_id: record.process_id, pid: record.pid, state: "attached" }]);
  });

  it("keep the place of the last read over a restart", async () => {
    const world = execWorld({ journal: memoryJournal() });
    const { record } = await world.service.start(shell("echo one; read x; echo two; sleep 600", { keep: true, stdin: "pipe" }), NOW);
    const read = async (service: typeof world.service): Promise<string> => {
      const { output, commit } = await service.read(record.thread_id, record.process_id, { yieldMs: 200 });
      commit();
      return output.output;
    };
    let seen = "";
    await waitFor("the first line", async () => (seen += await read(world.service)).includes("one"));
    const later = world.next();
    await later.adopt();
    await later.write(record.thread_id, record.process_id, { data: Buffer.from("\n"), writeId: "w" });
    let after = "";
    await waitFor("the second line", async () => (after += await read(later)).includes("two"));
    expect(after).toBe("two\n");
  });
});

describe("the launcher of hosts", () => {
  it("is used where a service manager would end the whole unit, when its user bus is there", async () => {
    const bin = tempDir();
    writeFileSync(join(bin, "systemd-run"), "#!/bin/sh\n");
    chmodSync(join(bin, "systemd-run"), 0o755);
    const runtime = tempDir("mx-");
    const unit = { PATH: bin, INVOCATION_ID: "1", XDG_RUNTIME_DIR: runtime };
    expect(hostLauncher("auto", unit)).toBeNull();
    const bus = createServer().listen(join(runtime, "bus"));
    onTestFinished(() => void bus.close());
    await waitFor("the bus", () => existsSync(join(runtime, "bus")));
    expect(hostLauncher("auto", unit)).toMatchObject({ command: join(bin, "systemd-run"), args: ["--user", "--scope", "--collect", "--quiet", "--"] });
    expect(hostLauncher("auto", { ...unit, INVOCATION_ID: "" })).toBeNull();
    expect(hostLauncher("plain", unit)).toBeNull();
    expect(hostLauncher("systemd-run", { PATH: bin })).not.toBeNull();
    expect(hostLauncher("systemd-run", { PATH: join(bin, "none") })).toBeNull();
  });

  it.each([
    ["becomes the host", 'echo "$@" > "$XDG_RUNTIME_DIR/asked"; while [ "$1" != -- ]; do shift; done; shift; exec "$@"'],
    ["is done without when it cannot make a unit", 'echo "$@" > "$XDG_RUNTIME_DIR/asked"; exit 1'],
  ])("%s", async (_what, script) => {
    const bin = tempDir();
    const runtime = tempDir();
    mkdirSync(join(runtime, "none"), { recursive: true });
    writeFileSync(join(bin, "systemd-run"), `#!/bin/sh\n${script}\n`);
    chmodSync(join(bin, "systemd-run"), 0o755);
    const env = { ...processEnv(), PATH: `${bin}:${processEnv()["PATH"] ?? ""}`, XDG_RUNTIME_DIR: runtime };
    const { service } = execWorld({ launcher: "systemd-run", env });
    const { output } = await service.start(shell("echo works"), { yieldMs: 5000 });
    expect(output).toMatchObject({ output: "works\n", exit_code: 0 });
    expect(readFileSync(join(runtime, "asked"), "utf8")).toContain("--user --scope --collect --quiet -- ");
  });
});

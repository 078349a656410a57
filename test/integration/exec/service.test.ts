import { copyFileSync, readFileSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { ExecService, ExecStart, LogEvent } from "../../../src/lib/exec/index.ts";
import { findByEnv, identityAlive, processIdentity } from "../../../src/lib/platform/index.ts";
import { OPERATOR, command, execWorld, hostEntry, memoryJournal, shell, xidOf } from "../../support/exec.ts";
import { tempDir } from "../../support/temp.ts";
import { waitFor } from "../../support/wait.ts";

const THREAD = "conv:agent:issue";
const inThread = (start: ExecStart, threadId = THREAD): ExecStart => ({ ...start, threadId });
const bash = (more: Partial<ExecStart> = {}): ExecStart => command(["bash", "--norc", "--noprofile", "-i"], { tty: true, ...more });

let writes = 0;
async function type(service: ExecService, threadId: string, id: string, text: string): Promise<void> {
  expect(await service.write(threadId, id, { data: Buffer.from(text), writeId: `w${(writes += 1)}` })).toBe("accepted");
}

/** Reads until the text is there. */
async function readUntil(service: ExecService, threadId: string, id: string, text: string): Promise<string> {
  let seen = "";
  await waitFor(`"${text}" in the output`, async () => {
    const { output, commit } = await service.read(threadId, id, { yieldMs: 50 });
    commit();
    seen += output.output;
    return seen.includes(text);
  });
  return seen;
}

function alive(pid: number | null): boolean {
  return pid !== null && processIdentity(pid) !== null;
}

describe("detach and reattach", () => {
  it("keeps a shell and its id while nobody owns it, with what happened in between (X1, X2)", async () => {
    const { service } = execWorld();
    await service.openThread(THREAD);
    const { record, commit } = await service.start(inThread(bash()), { yieldMs: 300 });
    commit();
    const id = record.process_id;
    expect(await service.detach(THREAD)).toEqual({ process_count: 1, process_ids: [id] });
    expect([service.list()[0]?.state, alive(record.pid)]).toEqual(["detached", true]);
    await type(service, THREAD, id, "echo detached-$((40+2))\n");
    expect(await service.reattach(THREAD)).toEqual({ reattached_count: 1, skipped_count: 0, skipped_process_ids: [] });
    expect(await readUntil(service, THREAD, id, "detached-42")).toContain("detached-42");
    await type(service, THREAD, id, "exit\n");
    await waitFor("the end", () => service.list()[0]?.state === "exited");
    expect(service.list()[0]).toMatchObject({ process_id: id, generation: 1, exit_code: 0, reason: "exited" });
  });

  it("does nothing for a thread that is not loaded, and reattaches to none (X3, X4, X7)", async () => {
    const { service } = execWorld();
    expect(await service.detach("task:none")).toEqual({ process_count: 0, process_ids: [] });
    await expect(service.reattach("task:none")).rejects.toMatchObject({ code: "thread_not_loaded", exit: 4 });
    await service.openThread("task:none");
    expect(await service.reattach("task:none")).toEqual({ reattached_count: 0, skipped_count: 0, skipped_process_ids: [] });
  });

  it("ends and forgets what is stored for a thread, and only that; then all (X8, X9, X10)", async () => {
    const { service, strays } = execWorld();
    for (const thread of [THREAD, "task:other"]) await service.openThread(thread);
    const records = await Promise.all([THREAD, THREAD, THREAD, "task:other"].map(async (thread) => (await service.start(inThread(shell("sleep 1000 & sleep 1000"), thread), { yieldMs: 0 })).record));
    await service.detach(THREAD);
    await service.detach("task:other");
    const cleaned = await service.clean({ threadId: THREAD });
    expect(cleaned.process_count).toBe(3);
    expect(cleaned.process_ids).toEqual([...cleaned.process_ids].sort());
    expect(records.map((record) => strays(xidOf(record)).length > 0)).toEqual([false, false, false, true]);
    expect((await service.clean({ all: true })).process_count).toBe(1);
    expect(strays(xidOf(records[3] ?? { dir: "" }))).toEqual([]);
    expect(service.list()).toEqual([]);
    expect(readdirSync(join(records[0]?.dir ?? "", "..")).filter((name) => name !== "s")).toEqual([]);
  });

  it("loses no process when it is moved, read and cleaned from many sides at once (Y13)", async () => {
    const { service } = execWorld();
    await service.openThread(THREAD);
    const records = await Promise.all([1, 2, 3].map(async () => (await service.start(inThread(shell("sleep 1000")), { yieldMs: 0 })).record));
    const work = Array.from({ length: 100 }, (_, index) => (index % 2 === 0 ? service.detach(THREAD) : service.reattach(THREAD)));
    await Promise.all(work);
    const states = service.list({ threadId: THREAD }).map((record) => record.state);
    expect(states.every((state) => state === "attached" || state === "detached")).toBe(true);
    await service.detach(THREAD);
    expect((await service.clean({ threadId: THREAD })).process_ids).toEqual(records.map((record) => record.process_id).sort());
  });

  it("undoes the move when it cannot be written down (G4)", async () => {
    const journal = memoryJournal();
    let broken = false;
    const { service } = execWorld({
      journal: {
        ...journal,
        updateAll(patches) {
          if (broken) throw new Error("disk full");
          journal.updateAll(patches);
        },
      },
    });
    await service.openThread(THREAD);
    const { record } = await service.start(inThread(shell("sleep 1000")), { yieldMs: 0 });
    broken = true;
    await expect(service.detach(THREAD)).rejects.toThrow("disk full");
    expect(service.list()[0]?.state).toBe("attached");
    broken = false;
    expect((await service.detach(THREAD)).process_ids).toEqual([record.process_id]);
    broken = true;
    await expect(service.reattach(THREAD)).rejects.toThrow("disk full");
    expect(service.list()[0]?.state).toBe("detached");
    broken = false;
    expect((await service.reattach(THREAD)).reattached_count).toBe(1);
  });

  it("reports a process that exits while detached, once, with everything it wrote; its code is known afterwards (X25)", async () => {
    const { service, ends } = execWorld();
    await service.openThread(THREAD);
    const { record } = await service.start(inThread(shell("read line; echo got $line; exit 9", { stdin: "pipe" })), { yieldMs: 0 });
    await service.detach(THREAD);
    await type(service, THREAD, record.process_id, "it\n");
    await waitFor("its end", () => ends.length > 0);
    expect(ends.map((end) => [end.processId, end.exitCode, end.output])).toEqual([[record.process_id, 9, "got it\n"]]);
    await service.reattach(THREAD);
    const { output } = await service.read(THREAD, record.process_id, { yieldMs: 0 });
    expect(output).toMatchObject({ output: "got it\n", exit_code: 9, process_id: null, closed: true });
    expect(ends).toHaveLength(1);
  });

  it("tells output and end after a reattachment (X26)", async () => {
    const { service, ends } = execWorld();
    await service.openThread(THREAD);
    const { record } = await service.start(inThread(shell("while read line; do echo got $line; done", { stdin: "pipe" })), { yieldMs: 0 });
    await service.detach(THREAD);
    await service.reattach(THREAD);
    const events: LogEvent[] = [];
    const stream = await service.follow(THREAD, record.process_id, { afterSeq: 0, signal: AbortSignal.timeout(20_000) });
    const following = (async () => {
      for await (const event of stream) events.push(event), stream.ack(event.seq);
    })();
    await type(service, THREAD, record.process_id, "one\n");
    await waitFor("the event", () => events.some((event) => event.data?.toString() === "got one\n"));
    expect(await service.write(THREAD, record.process_id, { data: Buffer.alloc(0), writeId: "eof", closeStdin: true })).toBe("accepted");
    await following;
    expect(events.map((event) => event.kind)).toEqual(["stdout", "exited", "closed"]);
    await waitFor("the end", () => ends.length === 1);
    expect(ends[0]).toMatchObject({ exitCode: 0, output: "got one\n" });
  });

  it("cuts a viewer that belongs to the session, and leaves others (X13)", async () => {
    const { service } = execWorld();
    await service.openThread(THREAD);
    const { record } = await service.start(inThread(shell("sleep 1000")), { yieldMs: 0 });
    const open = async (sessionBound: boolean): Promise<{ ended: boolean }> => {
      const state = { ended: false };
      const stream = await service.follow(THREAD, record.process_id, { afterSeq: 0, sessionBound, signal: AbortSignal.timeout(20_000) });
      void (async () => {
        for await (const event of stream) stream.ack(event.seq);
        state.ended = true;
      })();
      return state;
    };
    const [bound, free] = [await open(true), await open(false)];
    await service.detach(THREAD);
    await waitFor("the session's viewer to end", () => bound.ended);
    expect(free.ended).toBe(false);
  });

  it("parks what is kept and ends the rest when its thread ends; the next one finds it (Y11)", async () => {
    const { service, strays } = execWorld();
    await service.openThread(THREAD);
    const kept = (await service.start(inThread(shell("sleep 1000", { keep: true })), { yieldMs: 0 })).record;
    const plain = (await service.start(inThread(shell("trap '' HUP TERM; while :; do sleep 1; done")), { yieldMs: 0 })).record;
    expect([...service.spared()]).toEqual([xidOf(kept)]);
    const closed = await service.closeThread(THREAD);
    expect(closed).toEqual({ detached: { process_count: 1, process_ids: [kept.process_id] }, ended: { process_count: 1, process_ids: [plain.process_id] } });
    expect([strays(xidOf(kept)).length > 0, strays(xidOf(plain)).length]).toEqual([true, 0]);
    expect(service.list({ state: "exited" })[0]?.reason).toBe("shutdown");
    await expect(service.start(inThread(shell("true")), { yieldMs: 0 })).rejects.toMatchObject({ code: "thread_not_loaded" });
    expect((await service.openThread(THREAD)).reattached_count).toBe(1);
    expect(service.usersOf("/tmp").map((record) => record.process_id)).toEqual([kept.process_id]);
  }, 40_000);

  it("stores or ends what is being started while its thread ends, never neither (Y12)", async () => {
    const { service } = execWorld();
    for (const keep of [true, false]) {
      await service.openThread(THREAD);
      const starting = service.start(inThread(shell("sleep 1000", { keep })), { yieldMs: 0 });
      await service.closeThread(THREAD);
      const { record } = await starting;
      expect((await service.find(THREAD, record.process_id)).state).toBe(keep ? "detached" : "exited");
    }
  });
});

describe("output and input", () => {
  it("keeps state between writes, and a second shell apart (X14)", async () => {
    const { service } = execWorld();
    const [one, two] = await Promise.all([service.start(bash(), { yieldMs: 0 }), service.start(bash(), { yieldMs: 0 })]);
    await type(service, OPERATOR, one.record.process_id, "export WORD=first\n");
    await type(service, OPERATOR, one.record.process_id, "echo one:$WORD:\n");
    await type(service, OPERATOR, two.record.process_id, "echo two:$WORD:\n");
    expect(await readUntil(service, OPERATOR, one.record.process_id, "one:first:")).toBeTruthy();
    expect(await readUntil(service, OPERATOR, two.record.process_id, "two::")).toBeTruthy();
  });

  it("answers at the end of the waiting time without, later with the output, and knows a finished id no more (X11, X15, X16, X19)", async () => {
    const { service, ends } = execWorld();
    const first = await service.start(shell("read go; echo done; exit 17", { stdin: "pipe" }), { yieldMs: 250 });
    expect(first.output).toMatchObject({ output: "", running: true, process_id: first.record.process_id, exit_code: null });
    first.commit();
    const reading = service.read(OPERATOR, first.record.process_id, { yieldMs: 20_000 });
    await type(service, OPERATOR, first.record.process_id, "\n");
    const { output, commit } = await reading;
    expect(output).toMatchObject({ output: "done\n", running: false, process_id: null, exit_code: 17, closed: true });
    commit();
    await expect(service.read(OPERATOR, first.record.process_id, { yieldMs: 0 })).rejects.toMatchObject({ code: "process_not_found", exit: 4 });
    expect((await service.read(OPERATOR, first.record.process_id, { yieldMs: 0, afterSeq: 0 })).output.output).toBe("done\n");
    expect(ends).toHaveLength(1);
  });

  it("repeats an answer that was not handed over, and a write with the same id is typed once (Y20, Y21)", async () => {
    const { service } = execWorld();
    const { record } = await service.start(command(["cat"], { stdin: "pipe" }), { yieldMs: 0 });
    const data = Buffer.from("once\n");
    expect(await service.write(OPERATOR, record.process_id, { data, writeId: "same" })).toBe("accepted");
    expect(await service.write(OPERATOR, record.process_id, { data, writeId: "same" })).toBe("duplicate");
    await waitFor("the echo", async () => (await service.read(OPERATOR, record.process_id, { yieldMs: 50 })).output.output === "once\n");
    const again = await service.read(OPERATOR, record.process_id, { yieldMs: 50 });
    expect(again.output.output).toBe("once\n");
    again.commit();
    expect((await service.read(OPERATOR, record.process_id, { yieldMs: 50 })).output.output).toBe("");
  });

  it("refuses input where there is none (X20)", async () => {
    const { service } = execWorld();
    const { record } = await service.start(shell("sleep 1000"), { yieldMs: 0 });
    expect(await service.write(OPERATOR, record.process_id, { data: Buffer.from("x"), writeId: "1" })).toBe("stdin_closed");
    await expect(service.resize(OPERATOR, record.process_id, { cols: 80, rows: 24 })).rejects.toMatchObject({ code: "not_a_tty" });
  });

  it("types large input through a pipe completely", async () => {
    const { service } = execWorld();
    const { record } = await service.start(command(["wc", "-c"], { stdin: "pipe" }), { yieldMs: 0 });
    const data = Buffer.alloc(700_000, "x");
    expect(await service.write(OPERATOR, record.process_id, { data, writeId: "big", closeStdin: true })).toBe("accepted");
    expect((await service.read(OPERATOR, record.process_id, { yieldMs: 20_000 })).output.output.trim()).toBe("700000");
  });

  it("keeps a character whole over two reads (X24)", async () => {
    const { service } = execWorld();
    const { record } = await service.start(shell("printf 'a\\303'; read x; printf '\\244b'", { stdin: "pipe" }), { yieldMs: 0 });
    let first = await service.read(OPERATOR, record.process_id, { yieldMs: 100 });
    await waitFor("the first byte", async () => (first = await service.read(OPERATOR, record.process_id, { yieldMs: 100 })).output.output !== "");
    expect(first.output.output).toBe("a");
    first.commit();
    await type(service, OPERATOR, record.process_id, "\n");
    expect((await service.read(OPERATOR, record.process_id, { yieldMs: 20_000 })).output.output).toBe("äb");
  });

  it("keeps the order in which two streams were written (Y19)", async () => {
    const { service } = execWorld();
    const script = "for i in 1 2 3; do echo o$i; read x; echo e$i >&2; read x; done";
    const { record } = await service.start(shell(script, { stdin: "pipe" }), { yieldMs: 0 });
    // Each line is in the log before the next one is written: else it would be the machine's load that is tested.
    for (const line of ["o1", "e1", "o2", "e2", "o3", "e3"]) {
      await readUntil(service, OPERATOR, record.process_id, line);
      await type(service, OPERATOR, record.process_id, "\n");
    }
    expect((await service.read(OPERATOR, record.process_id, { yieldMs: 10_000, afterSeq: 0 })).output.output).toBe("o1\ne1\no2\ne2\no3\ne3\n");
  });

  it("shows a new size of the terminal to the command, and a key ends what runs in it, not the shell (Y26, Y27)", async () => {
    const { service } = execWorld();
    const { record } = await service.start(bash(), { yieldMs: 0 });
    await service.resize(OPERATOR, record.process_id, { cols: 132, rows: 50 });
    await type(service, OPERATOR, record.process_id, "stty size; sleep 1000; echo status:$?\n");
    await readUntil(service, OPERATOR, record.process_id, "50 132");
    await waitFor("the sleep", () => findByEnv("MULTICA_EXEC_XID", xidOf(record)).length === 2);
    await type(service, OPERATOR, record.process_id, "\u0003");
    await type(service, OPERATOR, record.process_id, "echo still:$((1+1))\n");
    await readUntil(service, OPERATOR, record.process_id, "still:2");
  });

  it("gives the command its terminal, its ids and the caller's mask, and nothing of the host's (Y31)", async () => {
    const { service } = execWorld();
    const script = "env; umask; tty || true; ls -l /proc/self/fd | wc -l";
    const start = shell(script, { env: { PATH: "/usr/bin:/bin", SECRET_WORD: "tok-12345" } });
    const { output, record } = await service.start(start, { yieldMs: 20_000 });
    expect(output.output).toContain(`MULTICA_EXEC_XID=${xidOf(record)}`);
    expect(output.output).toContain(`MULTICA_EXEC_PROCESS_ID=${record.process_id}`);
    expect(output.output).not.toContain("HOME=");
    expect(output.output).toContain(process.umask().toString(8).padStart(4, "0"));
    for (const name of readdirSync(record.dir)) {
      const path = join(record.dir, name);
      expect(statSync(path).mode & 0o077).toBe(0);
      if (!name.startsWith("seg-")) expect(readFileSync(path, "utf8")).not.toContain("tok-12345");
    }
  });
});

describe("starting", () => {
  it.each([
    [command(["no-such-command"]), "command_not_found"],
    [command(["/etc/passwd"]), "not_executable"],
    [command(["true"], { cwd: "/no/such/directory" }), "cwd_not_found"],
    [command(["no-such-command"], { tty: true }), "command_not_found"],
  ])("says what kept %j from starting, and leaves only a failed record (Y28)", async (start, code) => {
    const { service, stateDir } = execWorld();
    await expect(service.start(start, { yieldMs: 0 })).rejects.toMatchObject({ code, exit: 5 });
    expect(service.list().map((record) => [record.state, record.reason])).toEqual([["failed", "spawn_error"]]);
    expect(readdirSync(join(stateDir, "exec")).filter((name) => name !== "s")).toEqual([]);
    expect(readdirSync(join(stateDir, "exec", "s"))).toEqual([]);
  });

  it("has no terminals where their library is missing, and works without (Y36)", async () => {
    const entry = join(tempDir(), "host.mjs");
    copyFileSync(hostEntry(), entry);
    const { service } = execWorld({ hostEntry: entry });
    await expect(service.start(command(["true"], { tty: true }), { yieldMs: 0 })).rejects.toMatchObject({ code: "tty_unavailable", exit: 5 });
    expect((await service.start(command(["echo", "works"]), { yieldMs: 10_000 })).output.output).toBe("works\n");
  });

  it("makes room by ending the least recently used, warns before, and refuses when nobody may go", async () => {
    const { service } = execWorld({ bounds: { liveProcesses: 8 } });
    const start = (keep: boolean): ReturnType<ExecService["start"]> => service.start(inThread(shell("sleep 1000", { keep, maxProcesses: 5 }), "task:t"), { yieldMs: 0 });
    await service.openThread("task:t");
    const first = (await start(false)).record;
    expect((await start(false)).warning).toBeNull();
    await start(false);
    await start(false);
    expect((await start(false)).warning).toContain("5 of at most 5");
    await start(false);
    await waitFor("the oldest to go", async () => (await service.find("task:t", first.process_id)).reason === "pruned");
    expect(service.list({ state: "attached" })).toHaveLength(5);
    for (const record of service.list({ state: "attached" })) await service.keep("task:t", record.process_id, { keep: true });
    await expect(start(false)).rejects.toMatchObject({ code: "limit", exit: 7 });
  }, 40_000);
});

describe("the end of a daemon (Y34)", () => {
  it.each([
    ["keep", { op: "exited", plain: "exited", kept: "detached", parked: "detached" }],
    ["terminate", { op: "exited", plain: "exited", kept: "exited", parked: "exited" }],
    ["restart", { op: "attached", plain: "exited", kept: "detached", parked: "detached" }],
  ] as const)("%s leaves what it says", async (mode, expected) => {
    const journal = memoryJournal();
    const { service, next } = execWorld({ journal });
    await service.openThread(THREAD);
    const sleep = shell("sleep 1000");
    const op = (await service.start(sleep, { yieldMs: 0 })).record;
    const plain = (await service.start(inThread(sleep), { yieldMs: 0 })).record;
    const kept = (await service.start(inThread({ ...sleep, keep: true }), { yieldMs: 0 })).record;
    const parked = (await service.start(inThread({ ...sleep, detach: true }), { yieldMs: 0 })).record;
    expect(parked.state).toBe("detached");
    const identities = [kept, op].map((record) => processIdentity(record.pid ?? 0));
    const result = await service.shutdown(mode);
    const state = (record: { process_id: string }): string | undefined => service.list().find((one) => one.process_id === record.process_id)?.state;
    expect({ op: state(op), plain: state(plain), kept: state(kept), parked: state(parked) }).toEqual(expected);
    expect(result.staying).toBe(mode === "terminate" ? 0 : mode === "keep" ? 2 : 3);
    if (mode !== "restart") return;
    const later = next();
    expect(await later.adopt()).toEqual({ adopted: 3, exited: 0, lost: 0 });
    expect(later.list().filter((record) => record.adopted).map((record) => record.state).sort()).toEqual(["attached", "detached", "detached"]);
    expect(identities.every((identity) => identity !== null && identityAlive(identity))).toBe(true);
  }, 40_000);
});

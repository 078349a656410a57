import { spawnSync } from "node:child_process";
import { chmodSync, lstatSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { type Server, type Socket, connect, createServer } from "node:net";
import { createInterface } from "node:readline";
import { dirname, join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import type { ExecRecord } from "../../../src/lib/exec/index.ts";
import { listenPrivately } from "../../../src/lib/exec/host/listen.ts";
import { socketDirectories } from "../../../src/lib/exec/socket-path.ts";
import { processEnv, systemClock } from "../../../src/lib/platform/index.ts";
import { command, execWorld, memoryJournal, shell, xidOf } from "../../support/exec.ts";
import { tempDir } from "../../support/temp.ts";
import { waitFor } from "../../support/wait.ts";

type Reply = Record<string, unknown>;

/** A client that says what it likes. */
class Raw {
  readonly socket: Socket;
  readonly replies: Reply[] = [];
  closed = false;

  constructor(path: string) {
    this.socket = connect(path);
    this.socket.on("error", () => undefined);
    this.socket.once("close", () => (this.closed = true));
    const lines = createInterface({ input: this.socket });
    lines.on("line", (line) => this.replies.push(JSON.parse(line) as Reply)).on("error", () => undefined);
    onTestFinished(() => void this.socket.destroy());
  }

  async ask(request: Reply): Promise<Reply> {
    const id = Math.random();
    this.socket.write(`${JSON.stringify({ id, ...request })}\n`);
    return waitFor(`the answer to ${String(request["op"])}`, () => this.replies.find((reply) => reply["id"] === id));
  }
}

async function sleeper(overrides: Parameters<typeof execWorld>[0] = {}): Promise<{ record: ExecRecord; socket: string; token: string; world: ReturnType<typeof execWorld> }> {
  const journal = memoryJournal();
  const world = execWorld({ journal, ...overrides });
  const { record } = await world.service.start(command(["cat"], { stdin: "pipe" }), { yieldMs: 0 });
  const socket = journal.list()[0]?.socket ?? "";
  return { record, socket, token: readFileSync(join(record.dir, "token"), "utf8"), world };
}

const hello = (token: string, more: Reply = {}): Reply => ({ op: "hello", v: 1, token, role: "viewer", instance_id: "test", epoch: 0, ...more });

describe("a host's socket", () => {
  it("lies in a directory of ours alone and takes a token, nothing else (Y30)", async () => {
    const { socket, token } = await sleeper();
    expect([statSync(dirname(socket)).mode & 0o777, statSync(socket).mode & 0o077]).toEqual([0o700, 0]);
    const wrong = new Raw(socket);
    expect(await wrong.ask(hello("0".repeat(64)))).toMatchObject({ ok: false, code: "bad_token" });
    await waitFor("the end of the connection", () => wrong.closed);
    const silent = new Raw(socket);
    expect(await silent.ask({ op: "status" })).toMatchObject({ ok: false, code: "hello_first" });
    expect(await new Raw(socket).ask(hello(token, { instance_id: "other" }))).toMatchObject({ code: "foreign" });
    expect(await new Raw(socket).ask(hello(token, { v: 99 }))).toMatchObject({ code: "version" });
    expect(await new Raw(socket).ask(hello(token, { role: "owner", epoch: 0 }))).toMatchObject({ code: "stale_epoch" });
    const good = new Raw(socket);
    expect(await good.ask(hello(token))).toMatchObject({ ok: true, state: "running" });
    expect(await good.ask({ op: "nonsense" })).toMatchObject({ ok: false, code: "unknown_op" });
    expect(await good.ask({ op: "update", keep: true })).toMatchObject({ ok: false, code: "not_owner" });
    expect(await good.ask({ op: "signal", name: "SEGV" })).toMatchObject({ ok: false, code: "invalid" });
  });

  it("refuses everybody for a while after several wrong tokens, and closes a line without end", async () => {
    const { socket, token } = await sleeper();
    const long = new Raw(socket);
    long.socket.write("x".repeat(300 * 1024));
    await waitFor("the end of the long line", () => long.closed);
    for (let index = 0; index < 5; index += 1) await new Raw(socket).ask(hello("no"));
    const late = new Raw(socket);
    late.socket.write(`${JSON.stringify(hello(token))}\n`);
    await waitFor("the refusal", () => late.closed);
    expect(late.replies).toEqual([]);
  });

  it("answers reads, follows with a window, and tells a viewer what the terminal got", async () => {
    const { socket, token } = await sleeper();
    const viewer = new Raw(socket);
    await viewer.ask(hello(token));
    expect(await viewer.ask({ op: "write", write_id: "1", data: Buffer.from("abc\n").toString("base64") })).toMatchObject({ status: "accepted" });
    const read = await viewer.ask({ op: "read", after_seq: 0, wait_ms: 10_000 });
    expect(read).toMatchObject({ next_seq: 1, closed: false, events: [{ seq: 1, kind: "stdout", data: Buffer.from("abc\n").toString("base64") }] });
    await viewer.ask({ op: "follow", after_seq: 0 });
    await waitFor("the event", () => viewer.replies.some((reply) => reply["ev"] === "out" && reply["seq"] === 1));
    expect(await viewer.ask({ op: "close_stdin" })).toMatchObject({ ok: true });
    await waitFor("the end", () => viewer.replies.some((reply) => reply["kind"] === "closed"));
  });

  it("is found in another directory when the state directory's name is too long (Y32)", async () => {
    const runtime = tempDir("r-");
    const stateDir = join(tempDir("mx-"), "d".repeat(100));
    mkdirSync(stateDir);
    const { socket } = await sleeper({ stateDir, env: { ...processEnv(), XDG_RUNTIME_DIR: runtime } });
    expect(socket.startsWith(runtime)).toBe(true);
    expect(Buffer.byteLength(socket)).toBeLessThanOrEqual(103);
    expect(socketDirectories(stateDir, {})[1]).toMatch(/multica-\d+-[0-9a-f]{8}$/);
  });

  it.each([
    ["a link", (path: string) => symlinkSync(tempDir(), path)],
    ["a file", (path: string) => writeFileSync(path, "")],
    ["an open directory", (path: string) => (mkdirSync(path), chmodSync(path, 0o755))],
  ])("is not put where somebody planted %s", async (_what, plant) => {
    const { service, stateDir } = execWorld();
    mkdirSync(join(stateDir, "exec"), { mode: 0o700 });
    plant(join(stateDir, "exec", "s"));
    await expect(service.start(shell("true"), { yieldMs: 0 })).rejects.toMatchObject({ code: "unsafe_directory" });
    expect(service.list()).toEqual([]);
  });

  it("is not bound under a name that the system would cut, nor where somebody is or planted something; a dead one is cleared", async () => {
    const dir = tempDir("mx-");
    chmodSync(dir, 0o700);
    const listen = (path: string) => listenPrivately(path, (socket) => socket.destroy(), systemClock);
    await expect(listen(join(dir, "x".repeat(100)))).rejects.toMatchObject({ code: "socket_path_too_long" });
    const path = join(dir, "h.sock");
    const first = await listen(path);
    await expect(listen(path)).rejects.toMatchObject({ code: "socket_taken" });
    await new Promise<void>((resolve) => first.close(() => resolve()));
    for (const plant of [() => symlinkSync(join(dir, "elsewhere"), path), () => writeFileSync(path, "")]) {
      plant();
      await expect(listen(path)).rejects.toMatchObject({ code: "socket_taken" });
      rmSync(path);
    }
    // What a killed host leaves: a socket that nobody listens on.
    const dead = spawnSync(process.execPath, ["-e", `require("node:net").createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, "SIGKILL"))`]);
    expect(dead.signal).toBe("SIGKILL");
    expect(lstatSync(path).isSocket()).toBe(true);
    const again = await listen(path);
    await new Promise<void>((resolve) => again.close(() => resolve()));
  });

  it("never gets our token when a stranger listens at its address", async () => {
    const journal = memoryJournal();
    const { service, next } = execWorld({ journal });
    const { record } = await service.start(shell("exec sleep 1000"), { yieldMs: 0 });
    const heard: string[] = [];
    const other: Server = createServer((socket) => socket.on("data", (data) => (heard.push(data.toString()), socket.write('{"id":1,"ok":true,"nonce":"x"}\n'))));
    const open = join(tempDir(), "planted.sock");
    await new Promise<void>((resolve) => other.listen(open, resolve));
    onTestFinished(() => void other.close());
    chmodSync(dirname(open), 0o755);
    journal.update(xidOf(record), { socket: open });
    const later = next({ bounds: { graceMs: 200 } });
    await later.adopt();
    expect(heard).toEqual([]);
    expect(later.list()[0]?.state).not.toBe("attached");
  });

  it("shows neither token nor environment in the host's command line, environment or files (Y31)", async () => {
    const { record, token } = await sleeper();
    const { host_pid: pid } = JSON.parse(readFileSync(join(record.dir, "meta.json"), "utf8")) as { host_pid: number };
    const shown = readFileSync(`/proc/${pid}/cmdline`, "utf8") + readFileSync(`/proc/${pid}/environ`, "utf8");
    expect(shown).not.toContain(token);
    expect(shown).not.toContain("MULTICA");
    for (const name of readdirSync(record.dir)) if (name !== "token") expect(readFileSync(join(record.dir, name), "utf8")).not.toContain(token);
  });
});

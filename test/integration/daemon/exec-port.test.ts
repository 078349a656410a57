import { mkdirSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { createExecPort, type ExecPortClient } from "../../../src/lib/api/index.ts";
import { openExecStream } from "../../../src/lib/api/exec-stream.ts";
import type { DaemonContext } from "../../../src/lib/daemon/context.ts";
import { findByEnv } from "../../../src/lib/platform/index.ts";
import type { ExecRecord, ExecStartRequest, ExecStartedAnswer } from "../../../src/lib/wire/index.ts";
import { atEnd, keep, releaseKept } from "../../support/at-end.ts";
import { configFor, testDaemon, testHome, testServer } from "../../support/daemon.ts";
import { localRequest } from "../../support/local-request.ts";
import { waitFor } from "../../support/wait.ts";

const ISSUE = "0f6d3c1e-0000-4000-8000-0000000000b1";
const TASK = "0f6d3c1e-0000-4000-8000-0000000000a1";
const AGENT = "0f6d3c1e-0000-4000-8000-0000000000c1";
const OWN = `conv:${AGENT}:${ISSUE}`;
const TASK_TOKEN = "mat_of_a_running_task";
const env = { PATH: process.env["PATH"] ?? "", HOME: "/tmp" };

interface Place {
  readonly port: number;
  readonly operator: ExecPortClient;
  readonly task: ExecPortClient;
  readonly ctx: DaemonContext;
  /** Lets the task's token in, as at its start. */
  readonly begin: () => () => void;
}

/** A daemon with one running task, whose thread is loaded and whose token is valid, as the pipeline leaves it. */
async function place(): Promise<Place> {
  const server = await testServer();
  const home = testHome();
  const contexts: DaemonContext[] = [];
  const daemon = await testDaemon(home, configFor(home, server), {
    noState: false,
    runTask: (context) => {
      contexts.push(context);
      return Promise.resolve();
    },
  });
  const runtime = (await server.api.runtimes())[0];
  const agent = await server.api.createAgent({ name: "Ada", runtime_id: runtime?.id ?? "" });
  await server.api.createIssue({ title: "x", assignee_type: "agent", assignee_id: agent.id });
  const ctx = await waitFor("a context", () => contexts[0]);
  const workdir = join(home.home, "t1", "workdir");
  mkdirSync(workdir, { recursive: true });
  const credential = { workspaceId: server.workspaceId, taskId: TASK, agentId: AGENT, agentName: "Ada", workdir, envRoot: join(home.home, "t1"), issueId: ISSUE };
  const begin = (): (() => void) => ctx.credentials.register(TASK_TOKEN, credential);
  const { exec } = ctx;
  if (exec === null) throw new Error("no exec service");
  await ctx.threads.begin(exec, OWN);
  atEnd(() => exec.shutdown("terminate"));
  const operator = createExecPort({ port: daemon.port, token: daemon.operatorToken() });
  return { port: daemon.port, operator, task: createExecPort({ port: daemon.port, token: TASK_TOKEN }), ctx, begin };
}

function sh(script: string, more: Partial<ExecStartRequest> = {}): ExecStartRequest {
  return { argv: ["sh", "-c", script], cwd: "/tmp", env, yield_ms: 250, ...more };
}

function nameOf(started: ExecStartedAnswer): { thread_id: string; process_id: string } {
  return { thread_id: started.thread_id, process_id: started.started_process_id };
}

function pathOf(started: ExecStartedAnswer, action = ""): string {
  return `/exec/${encodeURIComponent(started.thread_id)}/${started.started_process_id}${action}`;
}

// One daemon for all of them; what a test starts ends with it.
let at: Place;
let end: () => void;
let sleeper: ExecStartedAnswer;

beforeAll(async () => {
  at = await keep(place);
  end = at.begin();
  sleeper = await at.operator.start(sh("echo ready; exec sleep 600"));
}, 30_000);

afterEach(async () => {
  const others = (await at.operator.list()).filter(({ process_id }) => process_id !== sleeper.started_process_id);
  await Promise.all(others.map((one) => at.operator.kill(one, { force: true })));
});

afterAll(releaseKept, 30_000);

describe("the exec endpoints", () => {
  it("refuse whoever may not ask (Y30): no token, a wrong one, a foreign Host, any Origin, another kind of body", async () => {
    const good = at.operator.token;
    const body = JSON.stringify({ yield_ms: 0 });
    for (const [method, path] of [["GET", "/exec"], ["POST", "/exec"], ["POST", pathOf(sleeper, "/read")], ["POST", pathOf(sleeper, "/kill")], ["POST", "/exec/clean"]] as const) {
      const given = method === "POST" ? { body } : {};
      expect((await localRequest(at.port, method, path, given)).status, `${path} without token`).toBe(401);
      expect((await localRequest(at.port, method, path, { ...given, token: "0".repeat(64) })).status, `${path} with a wrong token`).toBe(401);
      expect((await localRequest(at.port, method, path, { ...given, token: good, headers: { host: "evil.test" } })).status, `${path} by another name`).toBe(403);
      expect((await localRequest(at.port, method, path, { ...given, token: good, headers: { origin: `http://localhost:${at.port}` } })).status, `${path} from a page`).toBe(403);
    }
    const form = await localRequest(at.port, "POST", "/exec/clean", { body: "{}", token: good, headers: { "content-type": "text/plain" } });
    expect(form).toMatchObject({ status: 403, headers: { "x-multica-code": "not_json" } });
    expect(await at.operator.list()).toHaveLength(1);
  });

  it("refuse the same for a stream, before the connection becomes one", async () => {
    const path = `${pathOf(sleeper, "/stream")}?after_seq=0`;
    const tryWith = (headers: Record<string, string>): Promise<number> =>
      new Promise((resolve, reject) => {
        const socket = new WebSocket(`ws://127.0.0.1:${at.port}${path}`, "multica-exec.v1", { headers });
        socket.once("unexpected-response", (_request, response) => resolve(response.statusCode ?? 0));
        socket.once("open", () => reject(new Error("let in")));
        socket.once("error", () => undefined);
      });
    const authorization = `Bearer ${at.operator.token}`;
    expect(await tryWith({})).toBe(401);
    expect(await tryWith({ authorization, origin: "http://localhost" })).toBe(403);
    expect(await tryWith({ authorization, host: "evil.test" })).toBe(403);
    expect(await tryWith({ authorization: `Bearer ${TASK_TOKEN}` })).toBe(404);
  });

  it("show a task its own thread only, as if nothing else existed (Y16)", async () => {
    const own = await at.task.start(sh("sleep 60", { label: "mine" }));
    expect(own.thread_id).toBe(OWN);
    expect((await at.task.list()).map((record) => record.label)).toEqual(["mine"]);
    expect(await at.operator.list()).toHaveLength(2);
    for (const action of [() => at.task.record(nameOf(sleeper)), () => at.task.read(nameOf(sleeper), {}), () => at.task.kill(nameOf(sleeper), {}), () => at.task.write(nameOf(sleeper), { text: "x", write_id: "1" })]) {
      await expect(action()).rejects.toMatchObject({ code: "process_not_found", exit: 4 });
    }
    await expect(at.task.start(sh("true", { thread_id: "op:default" }))).rejects.toMatchObject({ exit: 4 });
    await expect(at.task.list({ thread_id: "op:default" })).rejects.toMatchObject({ exit: 4 });
    await expect(at.task.clean({ thread_id: "op:default" })).rejects.toMatchObject({ exit: 4 });
    await expect(at.task.clean({ all: true })).rejects.toMatchObject({ exit: 3 });
    await expect(at.task.gc({ dry_run: true })).rejects.toMatchObject({ exit: 3 });
    expect((await at.task.list({ task_id: TASK }))[0]?.label).toBe("mine");
  });

  it("know a task's token no more when the task has ended, and show its viewers out (Y16)", async () => {
    const own = await at.task.start(sh("echo here; sleep 60"));
    const stream = await openExecStream({ port: at.port, token: TASK_TOKEN, name: nameOf(own), afterSeq: 0, live: true });
    const first = await stream.frames[Symbol.asyncIterator]().next();
    expect(first.done).toBe(false);
    const ended = expect(async () => {
      for await (const frame of stream.frames) expect(frame).toBeDefined();
    }).rejects.toMatchObject({ code: "stream_lost" });
    end();
    await ended;
    await expect(at.task.list()).rejects.toMatchObject({ exit: 3 });
    end = at.begin();
  });

  it("say by code why a command was not started, and leave nothing behind (Y28)", async () => {
    await expect(at.operator.start({ argv: ["no-such-command-here"], cwd: "/tmp", env })).rejects.toMatchObject({ code: "command_not_found", exit: 5 });
    await expect(at.operator.start({ argv: ["ls"], cwd: "/no/such/place", env })).rejects.toMatchObject({ code: "cwd_not_found", exit: 5 });
    await expect(at.operator.start({ argv: ["/etc/passwd"], cwd: "/tmp", env })).rejects.toMatchObject({ code: "not_executable", exit: 5 });
    await expect(at.operator.start({ argv: [], cwd: "/tmp", env })).rejects.toMatchObject({ code: "invalid", exit: 5 });
    await expect(at.operator.start({ argv: ["ls"], cwd: "relative", env })).rejects.toMatchObject({ code: "invalid" });
    await expect(at.operator.start({ argv: ["ls"], cwd: "/tmp", env: { BIG: "x".repeat(1024 * 1024) } })).rejects.toMatchObject({ code: "invalid" });
    await expect(at.operator.start(sh("true", { thread_id: "task:unknown" }))).rejects.toMatchObject({ code: "thread_not_loaded", exit: 4 });
    expect((await at.operator.list()).map((record) => record.process_id)).toEqual([sleeper.started_process_id]);
  });

  it("detach what is not there as a success, and reattach to nobody as a 404 (X3, X4)", async () => {
    expect(await at.operator.detach({ thread_id: "task:gone" })).toEqual({ thread_id: "task:gone", process_count: 0, process_ids: [] });
    await expect(at.operator.reattach({ thread_id: "task:gone" })).rejects.toMatchObject({ code: "thread_not_loaded", exit: 4 });
    const moved = await at.operator.detach({ thread_id: "op:default" });
    expect(moved).toEqual({ thread_id: "op:default", process_count: 1, process_ids: [sleeper.started_process_id] });
    expect((await at.operator.record(nameOf(sleeper))).state).toBe("detached");
    expect(await at.operator.reattach({ thread_id: "op:default" })).toMatchObject({ reattached_count: 1, skipped_count: 0 });
    expect((await at.operator.record(nameOf(sleeper))).state).toBe("attached");
  });

  it("answer output once, and again from a position without moving the cursor", async () => {
    expect(sleeper).toMatchObject({ output: "ready\n", running: true, exit_code: null });
    expect((await at.operator.read(nameOf(sleeper), { yield_ms: 0 })).output).toBe("");
    expect((await at.operator.read(nameOf(sleeper), { yield_ms: 0, after_seq: 0 })).output).toBe("ready\n");
    const raw = await at.operator.read(nameOf(sleeper), { yield_ms: 0, after_seq: 0, raw: true });
    expect(Buffer.from(raw.output, "base64").toString()).toBe("ready\n");
    expect((await at.operator.read(nameOf(sleeper), { yield_ms: 0 })).output).toBe("");
  });

  it("hold nothing of an answer that arrived, however many go over one connection", async () => {
    const warnings: string[] = [];
    const onWarning = (warning: Error): void => void warnings.push(warning.name);
    process.on("warning", onWarning);
    for (let time = 0; time < 30; time += 1) await at.operator.read(nameOf(sleeper), { yield_ms: 0 });
    await new Promise((resolve) => setImmediate(resolve));
    process.off("warning", onWarning);
    expect(warnings).toEqual([]);
  });

  it("repeat output whose answer could not be handed over (Y20)", async () => {
    const started = await at.operator.start(sh("head -c 60000000 /dev/zero | tr '\\0' x; sleep 60", { yield_ms: 0, max_output_tokens: 1, limits: { ring_bytes: 128 * 1024 * 1024 } }));
    await waitFor("all output", async () => (await at.operator.record(nameOf(started))).total_bytes >= 60_000_000, 20_000);
    const body = JSON.stringify({ yield_ms: 0, max_output_tokens: 400_000 });
    // Reads the head of the answer and goes: the rest fits into no buffer of the system that is as small as this.
    await new Promise<void>((resolve, reject) => {
      const socket = connect({ port: at.port, host: "127.0.0.1" });
      socket.once("error", reject);
      socket.write(
        `POST ${pathOf(started, "/read")} HTTP/1.1\r\nHost: 127.0.0.1:${at.port}\r\nAuthorization: Bearer ${at.operator.token}\r\n` +
          `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      );
      socket.once("data", () => {
        socket.destroy();
        resolve();
      });
    });
    const again = await at.operator.read(nameOf(started), { yield_ms: 0, max_output_tokens: 400_000 });
    expect(again.output_bytes).toBeGreaterThan(0);
  });

  it("type a repeated write once (Y21), and say when there is no input (X20)", async () => {
    const cat = await at.operator.start(sh("exec cat", { stdin: "pipe" }));
    for (let time = 0; time < 2; time += 1) await at.operator.write(nameOf(cat), { text: "once\n", write_id: "w1", read: false });
    const answer = await at.operator.write(nameOf(cat), { data: Buffer.from("twice\n").toString("base64"), write_id: "w2", close_stdin: true, yield_ms: 2000 });
    expect(answer).toMatchObject({ output: "once\ntwice\n", exit_code: 0, running: false });
    await expect(at.operator.write(nameOf(sleeper), { text: "x", write_id: "w" })).rejects.toMatchObject({ code: "stdin_closed" });
    await expect(at.operator.write(nameOf(sleeper), { text: "x".repeat(1024 * 1024 + 1), write_id: "w" })).rejects.toMatchObject({ code: "too_large" });
  });

  it("stream a terminal both ways", async () => {
    const shell = await at.operator.start({ argv: ["sh"], cwd: "/tmp", env: { ...env, PS1: "$ " }, tty: true, yield_ms: 250 });
    const stream = await openExecStream({ port: at.port, token: at.operator.token, name: nameOf(shell), afterSeq: 0, live: true });
    stream.resize(132, 50);
    stream.input(Buffer.from("stty size; exit 3\r"));
    let text = "";
    const kinds: string[] = [];
    for await (const frame of stream.frames) {
      if (frame.kind === "error") throw new Error(frame.message);
      kinds.push(frame.kind);
      if (frame.kind === "pty") text += frame.data?.toString() ?? "";
      stream.ack(frame.seq);
    }
    expect(text).toContain("50 132");
    expect(kinds.at(-1)).toBe("closed");
    expect((await at.operator.record(nameOf(shell))).exit_code).toBe(3);
  });

  it("give the log as it is now, without waiting for more, also of what has ended", async () => {
    const read = async (name: { thread_id: string; process_id: string }): Promise<string> => {
      let text = "";
      for await (const frame of (await openExecStream({ port: at.port, token: at.operator.token, name, afterSeq: 0, live: false })).frames) {
        if (frame.kind === "stdout") text += frame.data?.toString() ?? "";
      }
      return text;
    };
    expect(await read(nameOf(sleeper))).toBe("ready\n");
    const over = await at.operator.start(sh("echo all"));
    await waitFor("its end", async () => (await at.operator.record(nameOf(over))).state === "exited");
    expect(await read(nameOf(over))).toBe("all\n");
  });

  it("bear the task's marker, whatever environment the caller sent", async () => {
    const own = await at.task.start(sh("sleep 60"));
    const record: ExecRecord = await at.task.record(nameOf(own));
    expect(findByEnv("MULTICA_TASK_ID", TASK).map((entry) => entry.pid)).toContain(record.pid);
    expect(record).toMatchObject({ task_id: TASK, issue_id: ISSUE, keep: false, state: "attached" });
  });
});

describe("an issue named by an operator", () => {
  it("means the one conversation about it; a task's id means its thread", async () => {
    const own = await at.task.start(sh("sleep 60", { keep: true }));
    expect((await at.operator.list({ issue_id: ISSUE })).map((record) => record.process_id)).toEqual([own.started_process_id]);
    await expect(at.operator.list({ issue_id: TASK })).rejects.toMatchObject({ exit: 4 });
    await expect(at.operator.list({ task_id: ISSUE })).rejects.toMatchObject({ exit: 4 });
    expect(await at.operator.list({ thread_id: ISSUE })).toEqual([]);
  });
});

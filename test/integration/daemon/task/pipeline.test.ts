import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { runTask } from "../../../../src/lib/daemon/task/handle.ts";
import { HeldClock, findByEnv, identityAlive, tryFileLock } from "../../../../src/lib/platform/index.ts";
import { hurriedClock } from "../../../support/hurried-clock.ts";
import { type TaskDaemon, taskDaemon } from "../../../support/task-daemon.ts";
import { waitFor } from "../../../support/wait.ts";

const MINUTE = 60_000;

/** Nothing of a task may be left: no process, no mark, no credential, no lock. */
function expectReleased(daemon: TaskDaemon, taskId: string): void {
  expect(findByEnv("MULTICA_TASK_ID", taskId)).toEqual([]);
  expect(daemon.ctx.activeRoots.list()).toEqual([]);
  expect(daemon.ctx.credentials.size).toBe(0);
  expect(daemon.ctx.counters).toEqual({ running: 0, resourceWait: 0 });
}

function workdirOf(daemon: TaskDaemon): string {
  return String(daemon.server.bodies("session")[0]?.["work_dir"]);
}

describe("a task that completes", () => {
  it("goes through every stage in order and leaves nothing behind (K-1)", async () => {
    const daemon = await taskDaemon({ agent: "acp-happy" });
    const { server } = daemon;
    let onDisk = false;
    const task = daemon.task();
    server.script = (route) => {
      if (route === "start") onDisk = existsSync(join(daemon.ctx.config.workspacesRoot, "w", task.id.replaceAll("-", "").slice(-12), "workdir"));
      return undefined;
    };
    await runTask(daemon.ctx, task, 1);
    expect(onDisk).toBe(true);
    const order = server.order();
    expect(order[0]).toBe("start");
    expect(order.slice(-2)).toEqual(["usage", "complete"]);
    expect(order.lastIndexOf("messages")).toBeLessThan(order.indexOf("usage"));
    expect(order.indexOf("session")).toBeGreaterThan(0);
    const workdir = workdirOf(daemon);
    expect(server.bodies("complete")).toEqual([{ output: "all done", session_id: "acp-session-1", work_dir: workdir }]);
    expect(server.entries().map((entry) => [entry["seq"], entry["type"]])).toEqual([
      [1, "thinking"],
      [2, "text"],
      [3, "tool_use"],
      [4, "tool_result"],
      [5, "text"],
    ]);
    expect(JSON.stringify(server.entries())).not.toContain("AKIA");
    expect(server.bodies("usage")).toEqual([{ usage: [expect.objectContaining({ provider: "acp", input_tokens: 10, output_tokens: 5 })] }]);
    expect(daemon.state?.getTask(task.id)).toMatchObject({ phase: "done", terminal_kind: "complete", work_dir: workdir, session_id: "acp-session-1" });
    expect(daemon.state?.getTask(task.id)?.agent_pgid).toBeGreaterThan(0);
    expect(JSON.parse(readFileSync(join(dirname(workdir), ".gc_meta.json"), "utf8"))).toMatchObject({ kind: "issue", issue_id: "i1" });
    const lock = tryFileLock(join(dirname(workdir), ".task_lock"));
    expect(lock).not.toBeNull();
    lock?.release();
    expectReleased(daemon, task.id);
  });

  it("gives the agent its own token, homes and temporary directory, and nothing of the daemon's (K-20, K-21)", async () => {
    const daemon = await taskDaemon({ agent: "acp-happy", env: { MULTICA_PROFILE: "x", CLAUDECODE: "1", KEEP_ME: "yes" } });
    const agent = { id: "a", name: "Dev", custom_env: { FOO: "bar", PATH: "/evil", multica_token: "mul_evil" } };
    await runTask(daemon.ctx, daemon.task({ agent }), 1);
    const env = JSON.parse(readFileSync(join(workdirOf(daemon), "agent-env.json"), "utf8")) as Record<string, string>;
    expect(env).toMatchObject({
      MULTICA_TOKEN: "mat_the_tasks_own",
      MULTICA_SERVER_URL: daemon.server.url,
      MULTICA_TASK_SLOT: "1",
      FOO: "bar",
      KEEP_ME: "yes",
    });
    expect(env["PATH"]?.startsWith(`${daemon.ctx.launcherDir}:`)).toBe(true);
    expect(JSON.stringify(env)).not.toMatch(/mul_|\/evil/);
    expect(env).not.toHaveProperty("CLAUDECODE");
    expect(env).not.toHaveProperty("MULTICA_PROFILE");
    expect(env["TMPDIR"]).toMatch(/multica-task-/);
    expect(existsSync(env["TMPDIR"] ?? "")).toBe(false);
    expect(daemon.log().match(/blocked environment key skipped/g)?.length).toBe(2);
    expect(daemon.log()).not.toMatch(/mul_evil|mat_the_tasks_own|bar"/);
  });

  it("gives the agent a prompt that names its work", async () => {
    const daemon = await taskDaemon({ agent: "acp-happy" });
    await runTask(daemon.ctx, daemon.task({ trigger_comment_id: "c1", trigger_comment_content: "fix it" }), 1);
    const prompt = readFileSync(join(workdirOf(daemon), "agent-prompt.txt"), "utf8");
    expect(prompt).toContain("multica issue get i1 --output json");
    expect(prompt).toContain("> fix it");
    expect(prompt).toContain("--parent c1");
  });

  it("works the same without a state file (K-40)", async () => {
    const daemon = await taskDaemon({ agent: "acp-happy", withoutState: true });
    await runTask(daemon.ctx, daemon.task(), 1);
    expect(daemon.server.state).toBe("completed");
  });

  it("is a failure when its only answer is that it gave up (K-32)", async () => {
    const daemon = await taskDaemon({ agent: "acp-gives-up" });
    await runTask(daemon.ctx, daemon.task(), 1);
    expect(daemon.server.bodies("fail")).toEqual([expect.objectContaining({ failure_reason: "iteration_limit", error: "I reached the iteration limit." })]);
    expect(daemon.server.bodies("complete")).toEqual([]);
  });
});

describe("a task that cannot run", () => {
  it.each([undefined, "mul_someone"])("is failed without an agent for the token %s (K-7)", async (token) => {
    const daemon = await taskDaemon({ agent: "acp-happy" });
    const task = daemon.task({ auth_token: token });
    await runTask(daemon.ctx, task, 1);
    expect(daemon.server.order()).toEqual(["fail"]);
    expect(existsSync(join(daemon.ctx.config.workspacesRoot, "w"))).toBe(false);
    expect(daemon.state?.getTask(task.id)?.phase).toBe("done");
  });

  it("is failed with the words of a refused start, and its agent does not start (K-1)", async () => {
    const daemon = await taskDaemon({ agent: "acp-happy" });
    daemon.server.script = (route) => (route === "start" ? { status: 400, body: { error: "task is not dispatched" } } : undefined);
    const task = daemon.task();
    await runTask(daemon.ctx, task, 1);
    expect(daemon.server.order()).toEqual(["start", "fail"]);
    expect(String(daemon.server.bodies("fail")[0]?.["error"])).toMatch(/^start task failed: /);
    expect(daemon.state?.getTask(task.id)?.agent_pgid).toBeNull();
    expectReleased(daemon, task.id);
  });

  it("goes on when the answer to start was lost but the server has it running", async () => {
    const daemon = await taskDaemon({ agent: "acp-happy" });
    daemon.server.script = (route) => {
      if (route !== "start") return undefined;
      daemon.server.state = "running";
      return { status: 502, body: "bad gateway" };
    };
    await runTask(daemon.ctx, daemon.task(), 1);
    expect(daemon.server.bodies("start").length).toBe(1);
    expect(daemon.server.state).toBe("completed");
  });

  it("is failed with the missing command's name", async () => {
    const daemon = await taskDaemon({ agent: "acp-happy" });
    daemon.ctx.runtimes.setProfileLaunch("p", { provider: "acp", path: "/nowhere/agent", version: "", fixedArgs: [], profileId: "p" });
    await runTask(daemon.ctx, daemon.task(), 1);
    expect(daemon.server.bodies("fail")[0]).toMatchObject({ failure_reason: "agent_error.runtime_missing_executable" });
  });
});

describe("an agent in trouble", () => {
  it("that crashes mid-stream fails with how it ended, its words delivered before", async () => {
    const daemon = await taskDaemon({ agent: "acp-crash" });
    const task = daemon.task();
    await runTask(daemon.ctx, task, 1);
    expect(daemon.server.order().slice(-2)).toEqual(["messages", "fail"]);
    expect(daemon.server.bodies("fail")[0]).toMatchObject({ session_id: "acp-session-1" });
    expect(String(daemon.server.bodies("fail")[0]?.["error"])).toMatch(/exit status 3/);
    expect(daemon.server.bodies("fail")[0]?.["failure_reason"]).toBe("agent_error.process_failure");
    expectReleased(daemon, task.id);
  });

  it("that falls silent is stopped by the idle watchdog (K-27)", async () => {
    const daemon = await taskDaemon({ agent: "acp-mute", config: { idleWatchdogMs: 1000 } });
    const task = daemon.task();
    await runTask(daemon.ctx, task, 1);
    const fail = daemon.server.bodies("fail")[0];
    expect(fail?.["failure_reason"]).toBe("idle_watchdog");
    expect(fail?.["error"]).toBe("agent produced no new messages for 1s and message queue was empty; force-stopped by idle watchdog");
    expect(daemon.server.entries()).toEqual([{ seq: 1, type: "text", content: "one word\n" }]);
    expectReleased(daemon, task.id);
  });

  it("that runs over its wall clock is a timeout", async () => {
    const daemon = await taskDaemon({ agent: "acp-mute", config: { agentTimeoutMs: 800 } });
    await runTask(daemon.ctx, daemon.task(), 1);
    expect(daemon.server.bodies("fail")[0]).toMatchObject({ failure_reason: "timeout" });
  });

  it("that leaves a process in a session of its own loses it before the task ends", async () => {
    const daemon = await taskDaemon({ agent: "acp-stray", clock: hurriedClock() });
    const task = daemon.task();
    await runTask(daemon.ctx, task, 1);
    expect(daemon.server.state).toBe("completed");
    const pid = Number(readFileSync(join(workdirOf(daemon), "stray.pid"), "utf8"));
    expect(pid).toBeGreaterThan(0);
    expect(existsSync(`/proc/${pid}/cwd`) && findByEnv("MULTICA_TASK_ID", task.id).length > 0).toBe(false);
    expectReleased(daemon, task.id);
  });

  it("that lost its earlier session is started once more without it (K-29)", async () => {
    const daemon = await taskDaemon({ agent: "acp-forgetful" });
    const first = daemon.task();
    await runTask(daemon.ctx, first, 1);
    const workdir = workdirOf(daemon);
    daemon.server.state = "dispatched";
    daemon.server.calls.length = 0;
    await runTask(daemon.ctx, daemon.task({ prior_session_id: "gone", prior_work_dir: workdir, trigger_comment_id: "c1" }), 1);
    expect(daemon.server.bodies("complete")).toEqual([
      { session_id: "acp-session-1", work_dir: workdir, output: "fresh start", retired_session_id: "gone" },
    ]);
    const prompts = readFileSync(join(workdir, "prompts.txt"), "utf8").split("=====");
    expect(prompts.at(-2)).toMatch(/could not be restored/);
    expect(daemon.log()).toContain("session resume failed, retrying with fresh session");
  });

  it("in a fresh directory is not given a session of another one (K-17)", async () => {
    const daemon = await taskDaemon({ agent: "acp-happy" });
    await runTask(daemon.ctx, daemon.task({ prior_session_id: "old", prior_work_dir: join(daemon.home, "gone", "workdir"), trigger_comment_id: "c" }), 1);
    expect(daemon.server.state).toBe("completed");
    const prompt = readFileSync(join(workdirOf(daemon), "agent-prompt.txt"), "utf8");
    expect(prompt).toMatch(/could not be restored/);
    expect(prompt).not.toMatch(/continuing your earlier session/);
  });
});

describe("a task that ends elsewhere", () => {
  it("is wound down when the server cancels it, though the agent ignores everything (K-2)", async () => {
    const daemon = await taskDaemon({ agent: "acp-deaf", clock: hurriedClock() });
    const { server } = daemon;
    const task = daemon.task();
    const done = runTask(daemon.ctx, task, 1);
    await waitFor("the agent's first words", () => server.entries().length > 0);
    server.state = "cancelled";
    daemon.ctx.reconcile.broadcast();
    await done;
    expect(server.order().slice(-1)).toEqual(["cancel-ack"]);
    expect(server.bodies("complete").concat(server.bodies("fail"))).toEqual([]);
    expect(daemon.state?.getTask(task.id)).toMatchObject({ phase: "done", terminal_kind: "cancelled" });
    expectReleased(daemon, task.id);
  }, MINUTE);

  it("that is cancelled reports its last words and what it used before it acknowledges (K-2)", async () => {
    const daemon = await taskDaemon({ agent: "acp-billed" });
    const { server } = daemon;
    const done = runTask(daemon.ctx, daemon.task(), 1);
    await waitFor("the agent's first words", () => server.entries().length > 0);
    server.state = "cancelled";
    daemon.ctx.reconcile.broadcast();
    await done;
    expect(server.order().slice(-3)).toEqual(["messages", "usage", "cancel-ack"]);
    expect(server.bodies("usage")).toEqual([{ usage: [expect.objectContaining({ input_tokens: 7, output_tokens: 2 })] }]);
    expect(server.entries().at(-1)).toMatchObject({ content: "stopping\n" });
  }, MINUTE);

  it("is wound down when the server has deleted it (K-3)", async () => {
    const daemon = await taskDaemon({ agent: "acp-mute" });
    const { server } = daemon;
    const task = daemon.task();
    const done = runTask(daemon.ctx, task, 1);
    await waitFor("the agent's first words", () => server.entries().length > 0);
    server.script = (route) => (route === "status" ? { status: 404, body: { error: "task not found" } } : undefined);
    daemon.ctx.reconcile.broadcast();
    await done;
    expect(server.order().filter((route) => route !== "start" && route !== "session")).toEqual(["messages"]);
    expectReleased(daemon, task.id);
  }, MINUTE);

  it("gets no second ending when it was finished on the server before the report", async () => {
    const daemon = await taskDaemon({ agent: "acp-happy" });
    daemon.server.script = (route) => {
      if (route === "usage") daemon.server.state = "failed";
      return undefined;
    };
    await runTask(daemon.ctx, daemon.task(), 1);
    expect(daemon.server.order().at(-1)).toBe("cancel-ack");
  });

  it("is given back for recovery when the daemon shuts down (K-37)", async () => {
    const daemon = await taskDaemon({ agent: "acp-deaf", clock: hurriedClock() });
    const task = daemon.task();
    const done = runTask(daemon.ctx, task, 1);
    await waitFor("the agent's first words", () => daemon.server.entries().length > 0);
    daemon.shutdown.abort();
    await done;
    expect(daemon.server.bodies("fail")).toEqual([
      {
        error: "daemon shut down while the task was running",
        failure_reason: "runtime_recovery",
        session_id: "acp-session-1",
        work_dir: workdirOf(daemon),
      },
    ]);
    expectReleased(daemon, task.id);
  }, MINUTE);

  it("that was finished before the shutdown began is completed (K-37)", async () => {
    const daemon = await taskDaemon({ agent: "acp-happy" });
    daemon.server.script = (route) => {
      if (route === "usage") daemon.shutdown.abort();
      return undefined;
    };
    await runTask(daemon.ctx, daemon.task(), 1);
    expect(daemon.server.bodies("complete")).toEqual([expect.objectContaining({ output: "all done" })]);
    expect(daemon.server.bodies("fail")).toEqual([]);
  });

  it.each([false, true])("has its session on the server while it runs, for whoever takes it up after a crash (K-36), outbox: %s", async (outbox) => {
    const daemon = await taskDaemon({ agent: "acp-mute", outbox });
    const done = runTask(daemon.ctx, daemon.task(), 1);
    await waitFor("the pinned session", () => daemon.server.bodies("session").length > 0);
    expect(daemon.ctx.counters.running).toBe(1);
    expect(daemon.server.bodies("session")).toEqual([{ session_id: "acp-session-1", work_dir: expect.stringContaining("/workdir") as string }]);
    daemon.shutdown.abort();
    await done;
  }, MINUTE);

  it("keeps its directory from the collector until its metadata is written (K-19)", async () => {
    const daemon = await taskDaemon({ agent: "acp-happy" });
    const task = daemon.task();
    const root = join(daemon.ctx.config.workspacesRoot, "w", task.id.replaceAll("-", "").slice(-12));
    const seen: Record<string, boolean> = {};
    daemon.server.script = (route) => {
      seen[route] = daemon.ctx.activeRoots.list().includes(root) && !existsSync(join(root, ".gc_meta.json"));
      return undefined;
    };
    await runTask(daemon.ctx, task, 1);
    expect(seen).toMatchObject({ start: true, usage: true, complete: true });
    expect(existsSync(join(root, ".gc_meta.json"))).toBe(true);
    expect(daemon.ctx.activeRoots.list()).toEqual([]);
  });

  it("is given back at once when it was claimed during the shutdown", async () => {
    const daemon = await taskDaemon({ agent: "acp-happy" });
    daemon.shutdown.abort();
    await runTask(daemon.ctx, daemon.task(), 1);
    expect(daemon.server.order()).toEqual(["fail"]);
    expect(daemon.server.bodies("fail")[0]).toMatchObject({ failure_reason: "runtime_recovery" });
  });
});

describe("a server in trouble", () => {
  it("does not touch the run: lost messages, a failing status and a late complete (K-26, K-3)", async () => {
    const daemon = await taskDaemon({ agent: "acp-happy", clock: hurriedClock() });
    daemon.server.script = (route, nth) => {
      if (route === "messages" || route === "status" || route === "session" || route === "usage") return { status: 500, body: { error: "boom" } };
      if (route === "complete" && nth === 1) return { status: 503, body: { error: "busy" } };
      return undefined;
    };
    await runTask(daemon.ctx, daemon.task(), 1);
    expect(daemon.server.bodies("complete").length).toBe(2);
    expect(daemon.server.bodies("fail")).toEqual([]);
    expect(daemon.server.state).toBe("completed");
  }, MINUTE);

  it("that refuses the completion gets one failure with everything known (K-35)", async () => {
    const daemon = await taskDaemon({ agent: "acp-happy" });
    daemon.server.script = (route) => (route === "complete" ? { status: 409, body: { error: "conflict" } } : undefined);
    await runTask(daemon.ctx, daemon.task(), 1);
    expect(daemon.server.order().slice(-2)).toEqual(["complete", "fail"]);
    expect(daemon.server.bodies("fail")[0]).toMatchObject({ session_id: "acp-session-1" });
    expect(String(daemon.server.bodies("fail")[0]?.["error"])).toMatch(/^complete task failed: /);
  });
});

describe("a completion nobody takes", () => {
  it("leaves the task running on the server and never becomes a failure (K-35)", async () => {
    const clock = new HeldClock(Date.now());
    const daemon = await taskDaemon({ agent: "acp-happy", clock });
    daemon.server.script = (route) => (route === "complete" ? { status: 503, body: { error: "down" } } : undefined);
    const task = daemon.task();
    let ended = false;
    const done = runTask(daemon.ctx, task, 1).finally(() => (ended = true));
    const pass = async (ms: number): Promise<void> => clock.advance(ms);
    await waitFor("the first report", async () => {
      await pass(20);
      return daemon.server.bodies("complete").length > 0;
    });
    await waitFor("the last report", async () => {
      await pass(1000);
      return ended;
    });
    await done;
    expect(daemon.server.bodies("complete").length).toBe(6);
    expect(daemon.server.bodies("fail")).toEqual([]);
    expect(daemon.server.state).toBe("running");
    expect(daemon.state?.getTask(task.id)?.phase).toBe("reporting");
    expectReleased(daemon, task.id);
  }, MINUTE);
});

describe("the order of reports", () => {
  it("has the whole transcript delivered before usage and ending, however slow the server is", async () => {
    const daemon = await taskDaemon({ agent: "acp-happy" });
    const gate = Promise.withResolvers<undefined>();
    daemon.server.script = (route) => (route === "messages" ? gate.promise : undefined);
    const done = runTask(daemon.ctx, daemon.task(), 1);
    await waitFor("the agent's end", () => daemon.log().includes("agent run ended"));
    await waitFor("the first batch", () => daemon.server.bodies("messages").length > 0);
    expect(daemon.server.order()).not.toContain("usage");
    gate.resolve(undefined);
    await done;
    expect(daemon.server.order().slice(-2)).toEqual(["usage", "complete"]);
    expect(daemon.server.entries().map((entry) => entry["seq"])).toEqual([1, 2, 3, 4, 5]);
  });
});

describe("the preparation", () => {
  it("that hangs is ended after five minutes as a timeout, whatever hung (K-10)", async () => {
    const clock = new HeldClock(Date.now());
    const daemon = await taskDaemon({ agent: "acp-happy", clock });
    daemon.server.script = (route) => (route === "start" ? new Promise(() => undefined) : undefined);
    const task = daemon.task();
    const done = runTask(daemon.ctx, task, 1);
    await waitFor("start to be sent", () => daemon.server.bodies("start").length === 1);
    await clock.advance(5 * MINUTE);
    await done;
    expect(daemon.server.bodies("prepare-lease").length).toBeGreaterThanOrEqual(2);
    expect(daemon.server.bodies("fail")).toEqual([
      expect.objectContaining({ failure_reason: "timeout", error: expect.stringMatching(/^task preparation timed out after 5m0s/) }),
    ]);
    expectReleased(daemon, task.id);
  }, MINUTE);

  it("starts fresh when the prior directory belongs to a running task (K-18)", async () => {
    const daemon = await taskDaemon({ agent: "acp-happy", clock: hurriedClock() });
    await runTask(daemon.ctx, daemon.task(), 1);
    const prior = workdirOf(daemon);
    const lock = tryFileLock(join(dirname(prior), ".task_lock"));
    daemon.server.state = "dispatched";
    daemon.server.calls.length = 0;
    await runTask(daemon.ctx, daemon.task({ prior_work_dir: prior, prior_session_id: "acp-session-1" }), 1);
    lock?.release();
    expect(daemon.server.state).toBe("completed");
    expect(workdirOf(daemon)).not.toBe(prior);
  });

  it("continues in the prior directory with the prior session when it is free", async () => {
    const daemon = await taskDaemon({ agent: "acp-happy" });
    await runTask(daemon.ctx, daemon.task(), 1);
    const prior = workdirOf(daemon);
    daemon.server.state = "dispatched";
    daemon.server.calls.length = 0;
    await runTask(daemon.ctx, daemon.task({ prior_work_dir: prior, prior_session_id: "acp-session-1", trigger_comment_id: "c2" }), 1);
    expect(workdirOf(daemon)).toBe(prior);
    expect(readFileSync(join(prior, "agent-prompt.txt"), "utf8")).toMatch(/continuing your earlier session/);
    expect(daemon.log()).toContain("resuming session");
  });
});

describe("the agent's process", () => {
  it("is in the task's row before it has said anything", async () => {
    const daemon = await taskDaemon({ agent: "acp-mute" });
    const task = daemon.task();
    const done = runTask(daemon.ctx, task, 1);
    const row = await waitFor("the agent's row", () => {
      const found = daemon.state?.getTask(task.id);
      return found !== null && found?.agent_pid !== null ? found : undefined;
    });
    expect(row?.phase).toBe("running");
    expect(identityAlive({ pid: row?.agent_pid ?? 0, startKey: row?.agent_start_key ?? "", bootId: row?.agent_boot_id ?? "" })).toBe(true);
    expect(daemon.ctx.credentials.find("mat_the_tasks_own")).toMatchObject({ taskId: task.id, agentName: "Dev" });
    daemon.shutdown.abort();
    await done;
    expect(daemon.state?.getTask(task.id)?.phase).toBe("done");
  }, MINUTE);
});

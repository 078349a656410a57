import { describe, expect, it } from "vitest";
import { RequestError } from "../../../../src/lib/api/index.ts";
import { isMulticaError } from "../../../../src/lib/core/index.ts";
import { extendLease } from "../../../../src/lib/daemon/task/lease.ts";
import { orAbandon } from "../../../../src/lib/daemon/task/abandon.ts";
import { sendStart } from "../../../../src/lib/daemon/task/start.ts";
import { HeldClock } from "../../../../src/lib/platform/index.ts";
import { silentLogger } from "../../../../src/lib/platform/logger.ts";

async function run(starts: readonly (Error | null)[], status: () => Promise<string>) {
  const clock = new HeldClock();
  let sent = 0;
  const done = sendStart({
    clock,
    signal: new AbortController().signal,
    start: () => {
      const error = starts[Math.min(sent, starts.length - 1)];
      sent += 1;
      return error ? Promise.reject(error) : Promise.resolve();
    },
    status,
  }).then(
    () => "started",
    (error: unknown) => (isMulticaError(error, "task_failed") ? error.details["reason"] : (error as Error).message),
  );
  for (let second = 0; second < 90; second += 1) await clock.advance(1000);
  return { outcome: await done, sent };
}

const timeout = new Error("the server did not answer in time");
const refused = new RequestError("POST", "/start", 400, "task is not dispatched");

describe("sendStart", () => {
  it("starts with one request", async () => {
    expect(await run([null], () => Promise.resolve("dispatched"))).toEqual({ outcome: "started", sent: 1 });
  });

  it("goes on after an uncertain start that took effect", async () => {
    expect(await run([timeout], () => Promise.resolve("running"))).toEqual({ outcome: "started", sent: 1 });
  });

  it("starts again only when the server has not started the task", async () => {
    expect(await run([timeout, null], () => Promise.resolve("dispatched"))).toEqual({ outcome: "started", sent: 2 });
    expect(await run([timeout], () => Promise.resolve("cancelled"))).toEqual({ outcome: timeout.message, sent: 1 });
  });

  it("takes a refused second start of a running task for a success", async () => {
    let asked = 0;
    const status = (): Promise<string> => ((asked += 1) === 1 ? Promise.reject(new Error("down")) : Promise.resolve("running"));
    expect(await run([timeout, refused], status)).toEqual({ outcome: "started", sent: 2 });
  });

  it("takes the refusal of a start that the network brought twice for a success", async () => {
    expect(await run([refused], () => Promise.resolve("running"))).toEqual({ outcome: "started", sent: 1 });
  });

  it("waits for a server that is started anew", async () => {
    const down = (): Promise<string> => Promise.reject(new Error("down"));
    expect(await run([timeout, timeout, timeout, timeout, null], down)).toEqual({ outcome: "started", sent: 5 });
  });

  it("gives up on a refusal, and on a server that stays away for a minute: then the task may run elsewhere", async () => {
    for (const state of ["dispatched", "cancelled", "failed"]) expect(await run([refused], () => Promise.resolve(state))).toEqual({ outcome: refused.message, sent: 1 });
    expect(await run([refused], () => Promise.reject(new Error("down")))).toEqual({ outcome: refused.message, sent: 1 });
    expect(await run([timeout], () => Promise.reject(new Error("down")))).toMatchObject({ outcome: "runtime_offline" });
  });
});

describe("extendLease", () => {
  it("renews every 15 s, survives failures and ends with the request in flight (K-9)", async () => {
    const clock = new HeldClock();
    const gate = Promise.withResolvers<void>();
    let calls = 0;
    const lease = extendLease({
      clock,
      logger: silentLogger,
      extend: () => {
        calls += 1;
        return calls === 2 ? gate.promise : Promise.reject(new Error("down"));
      },
    });
    await clock.advance(44_000);
    expect(calls).toBe(2);
    let stopped = false;
    const done = lease.stop().then(() => (stopped = true));
    await clock.advance(0);
    expect(stopped).toBe(false);
    gate.resolve();
    await done;
    await clock.advance(60_000);
    expect(calls).toBe(2);
    expect(clock.pending).toBe(0);
  });
});

describe("orAbandon", () => {
  it("gives what comes too late to the one who cleans up", async () => {
    const work = Promise.withResolvers<string>();
    const abort = new AbortController();
    const late: string[] = [];
    const result = orAbandon(work.promise, abort.signal, (value) => late.push(value)).catch((error: unknown) => (error as Error).message);
    abort.abort(new Error("too late"));
    expect(await result).toBe("too late");
    work.resolve("lock");
    await work.promise;
    expect(late).toEqual(["lock"]);
  });

  it("passes results and failures through", async () => {
    const { signal } = new AbortController();
    expect(await orAbandon(Promise.resolve(1), signal, () => undefined)).toBe(1);
    await expect(orAbandon(Promise.reject(new Error("no")), signal, () => undefined)).rejects.toThrow("no");
  });
});

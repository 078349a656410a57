import { describe, expect, it } from "vitest";
import { RequestError } from "../../../src/lib/api/index.ts";
import type { DaemonApi } from "../../../src/lib/api/daemon-api.ts";
import { AckStamps } from "../../../src/lib/daemon/ack-stamps.ts";
import { beatCall, claimCalls } from "../../../src/lib/daemon/calls.ts";
import type { DaemonContext } from "../../../src/lib/daemon/context.ts";
import { LIMITS } from "../../../src/lib/daemon/limits.ts";
import type { RpcAnswer } from "../../../src/lib/daemon/rpc.ts";
import { type FrameParts, frameHandlers } from "../../../src/lib/daemon/socket-frames.ts";
import { HeldClock } from "../../../src/lib/platform/index.ts";
import type { Frame } from "../../../src/lib/wire/index.ts";

function world() {
  const clock = new HeldClock();
  const events: string[] = [];
  const sent: Frame[] = [];
  const note = (name: string) => (...args: unknown[]) => void events.push([name, ...args.map((one) => (typeof one === "string" ? one : JSON.stringify(one)))].join(" ").trim());
  const stamps = new AckStamps(clock);
  const link = { connected: false, since: null as number | null, close: () => undefined };
  const ctx = { clock, config: { heartbeatIntervalMs: 15_000 }, reconcile: { broadcast: note("reconcile") }, outbox: { kick: note("outbox") } };
  const parts = {
    ctx,
    link,
    stamps,
    sync: { request: note("sync") },
    claim: { resetMode: note("batch again"), wake: note("wake") },
    registrar: { refreshProfiles: (id: string) => Promise.resolve(note("profiles")(id)) },
    rpc: { connected: note("rpc connected"), disconnected: note("rpc lost"), acked: (capabilities: readonly string[]) => note("rpc")(...capabilities), onResponse: note("response") },
    actions: { apply: (id: string) => note("actions")(id) },
    pendingWork: { hint: note("hint") },
    runtimeGone: note("gone"),
  } as unknown as FrameParts;
  const handlers = frameHandlers(parts);
  const session = {
    post: (frame: Frame) => {
      sent.push(frame);
      return { withdraw: () => false };
    },
    close: () => undefined,
  };
  return { clock, events, sent, stamps, link, handlers, session };
}

describe("the socket", () => {
  it("catches up on everything when it opens, and beats at once and at every interval until it is lost [S-2, H-9]", async () => {
    const { clock, events, sent, stamps, link, handlers, session } = world();
    const stop = handlers.onConnected(session, ["a", "b"]);
    expect(events).toEqual(["rpc connected", "batch again", "wake", "reconcile", "outbox", 'sync {"reconcileProfiles":true}'].map((text) => expect.stringContaining(text) as string));
    expect(sent.map(({ payload }) => payload?.["runtime_id"])).toEqual(["a", "b"]);
    await clock.advance(30_000);
    expect(sent).toHaveLength(6);
    expect(link.connected).toBe(true);
    stamps.stamp("a");
    stop();
    handlers.onDisconnected();
    await clock.advance(60_000);
    expect([sent.length, link.connected, stamps.isFresh("a", 999_999), events.at(-1), clock.pending]).toEqual([6, false, false, "rpc lost", 0]);
  });

  it("stamps what an ack acknowledges, and recovers instead what it calls gone [H-6]", () => {
    const { events, stamps, handlers } = world();
    handlers.onFrame({ type: "daemon:heartbeat_ack", payload: { runtime_id: "a", status: "ok", server_capabilities: ["rpc-v1"] } });
    expect([stamps.isFresh("a", 1), events]).toEqual([true, ["rpc rpc-v1", "actions a"]]);
    handlers.onFrame({ type: "daemon:heartbeat_ack", payload: { runtime_id: "b", status: "runtime_gone", runtime_gone: true } });
    expect([stamps.isFresh("b", 999_999), events.at(-1), events.length]).toEqual([false, "gone b", 3]);
    handlers.onFrame({ type: "daemon:heartbeat_ack", payload: { runtime_id: "", status: "ok" } });
    handlers.onFrame({ type: "daemon:heartbeat_ack", payload: null });
    expect(events).toHaveLength(3);
  });

  it("acts on hints, and ignores what it does not know or cannot read", () => {
    const { events, handlers } = world();
    const frames: Frame[] = [
      { type: "daemon:task_available", payload: { runtime_id: "a" } },
      { type: "daemon:task_available", payload: { runtime_id: "" } },
      { type: "daemon:pending_work", payload: { runtime_id: "a", kind: "anything" } },
      { type: "daemon:workspaces_changed", payload: {} },
      { type: "daemon:runtime_profiles_changed", payload: { workspace_id: "w" } },
      { type: "daemon:runtime_profiles_changed", payload: { workspace_id: "" } },
      { type: "daemon:rpc_response", payload: { request_id: "1" } },
      { type: "daemon:from_the_future", payload: {} },
      { type: "daemon:pending_work", payload: { runtime_id: 7 } },
    ];
    for (const frame of frames) handlers.onFrame(frame);
    expect(events).toEqual(["wake a", "wake", "hint a", 'sync {"reconcileProfiles":false}', "profiles w", 'response {"request_id":"1"}']);
  });
});

describe("the answer to a heartbeat", () => {
  const beat = (result: unknown) => beatCall({ api: { heartbeat: () => (result instanceof Error ? Promise.reject(result) : Promise.resolve(result)) } as unknown as DaemonApi, limits: LIMITS })("a", new AbortController().signal);
  const refused = (status: number, body: string): RequestError => new RequestError("POST", "/api/daemon/heartbeat", status, body);

  it("means a runtime that is gone only where it says so [H-4, H-5]", async () => {
    expect(await beat(refused(404, '{"error":"Runtime not found"}'))).toEqual({ kind: "runtime_gone" });
    expect(await beat({ status: "ok", runtime_gone: true })).toEqual({ kind: "runtime_gone" });
    expect(await beat(refused(404, "404 page not found"))).toMatchObject({ kind: "failed" });
    expect(await beat(refused(400, "runtime_id is required"))).toMatchObject({ kind: "failed" });
    for (const error of [refused(503, "busy"), refused(429, ""), new Error("reset")]) expect(await beat(error)).toMatchObject({ kind: "transient" });
    expect(await beat({ status: "ok" })).toMatchObject({ kind: "ok" });
  });
});

describe("a claim over the socket", () => {
  const claim = async (answer: RpcAnswer) => {
    const http: unknown[] = [];
    const ctx = { api: { claimBatch: (body: unknown) => Promise.resolve(http.push(body) === 0 ? [] : []) }, limits: LIMITS, daemonId: "d", state: null } as unknown as DaemonContext;
    const calls = claimCalls(ctx, { ready: true, call: () => Promise.resolve(answer) }, () => true);
    return { answer: await calls.claimBatch(["a"], 2, new AbortController().signal, "socket"), http: http.length };
  };

  it("goes over HTTP at once when it was certainly not executed, and never when it may have been [S-9]", async () => {
    expect(await claim({ kind: "not_sent" })).toMatchObject({ answer: { kind: "tasks" }, http: 1 });
    expect(await claim({ kind: "answered", status: 503, body: undefined, error: "no handler" })).toMatchObject({ http: 1 });
    expect(await claim({ kind: "uncertain" })).toEqual({ answer: { kind: "uncertain" }, http: 0 });
    expect(await claim({ kind: "answered", status: 200, body: { tasks: "?" }, error: "" })).toEqual({ answer: { kind: "uncertain" }, http: 0 });
    expect(await claim({ kind: "answered", status: 200, body: { tasks: [] }, error: "" })).toEqual({ answer: { kind: "tasks", tasks: [] }, http: 0 });
    expect(await claim({ kind: "aborted" })).toMatchObject({ answer: { kind: "failed" }, http: 0 });
  });
});

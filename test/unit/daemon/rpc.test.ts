import { describe, expect, it } from "vitest";
import type { PostedFrame } from "../../../src/lib/api/frame-queue.ts";
import { LIMITS } from "../../../src/lib/daemon/limits.ts";
import { RpcClient } from "../../../src/lib/daemon/rpc.ts";
import { HeldClock } from "../../../src/lib/platform/index.ts";
import type { Frame } from "../../../src/lib/wire/index.ts";

interface Sent {
  readonly frame: Frame;
  written: boolean;
  withdrawn: boolean;
}

function world() {
  const clock = new HeldClock();
  const rpc = new RpcClient({ clock, limits: LIMITS });
  const sent: Sent[] = [];
  const state = { write: true, full: false };
  const post = (frame: Frame): PostedFrame | null => {
    if (state.full) return null;
    const one: Sent = { frame, written: state.write, withdrawn: false };
    sent.push(one);
    return { withdraw: () => !one.written && (one.withdrawn = true) };
  };
  const call = (signal = new AbortController().signal) => rpc.call("tasks.claim", { a: 1 }, 5000, signal);
  const idOf = (index: number): unknown => sent[index]?.frame.payload?.["request_id"];
  return { clock, rpc, sent, state, post, call, idOf };
}

describe("calls over the socket", () => {
  it("are made only after an ack of the very connection named the capability [S-8]", async () => {
    const { rpc, post, call, sent } = world();
    expect(await call()).toEqual({ kind: "not_sent" });
    rpc.connected(post);
    rpc.acked(["other"]);
    expect([rpc.ready, await call()]).toEqual([false, { kind: "not_sent" }]);
    rpc.acked(["rpc-v1"]);
    expect(rpc.ready).toBe(true);
    rpc.disconnected();
    rpc.connected(post);
    expect([rpc.ready, await call(), sent.length]).toEqual([false, { kind: "not_sent" }, 0]);
  });

  it("bring the answer with its id; unknown, late and broken answers are dropped [S-11]", async () => {
    const { clock, rpc, post, call, idOf, sent } = world();
    rpc.connected(post);
    rpc.acked(["rpc-v1"]);
    const first = call();
    const second = call();
    for (const payload of [{ request_id: "?", status: 200 }, null, "x", { status: 200 }]) rpc.onResponse(payload);
    rpc.onResponse({ request_id: idOf(1), status: 200, body: { tasks: [] } });
    rpc.onResponse({ request_id: idOf(0), status: 429, error: "busy" });
    expect(await second).toEqual({ kind: "answered", status: 200, body: { tasks: [] }, error: "" });
    expect(await first).toEqual({ kind: "answered", status: 429, body: undefined, error: "busy" });
    rpc.onResponse({ request_id: idOf(0), status: 200 });
    expect(sent[0]?.frame.payload).toMatchObject({ method: "tasks.claim", timeout_ms: 5000, body: { a: 1 } });
    expect(clock.pending).toBe(0);
  });

  it("are withdrawn when the frame still waits after seven seconds, and uncertain when it was written [S-9]", async () => {
    const { clock, rpc, post, call, state, sent } = world();
    rpc.connected(post);
    rpc.acked(["rpc-v1"]);
    const written = call();
    state.write = false;
    const queued = call();
    await clock.advance(6999);
    expect(sent[1]?.withdrawn).toBe(false);
    await clock.advance(1);
    expect([await written, await queued, sent[1]?.withdrawn]).toEqual([{ kind: "uncertain" }, { kind: "not_sent" }, true]);
    state.full = true;
    expect(await call()).toEqual({ kind: "not_sent" });
  });

  it("end with the connection: what was written is uncertain, the rest was not sent", async () => {
    const { clock, rpc, post, call, state } = world();
    rpc.connected(post);
    rpc.acked(["rpc-v1"]);
    const written = call();
    state.write = false;
    const queued = call();
    rpc.disconnected();
    expect([await written, await queued, clock.pending]).toEqual([{ kind: "uncertain" }, { kind: "not_sent" }, 0]);
  });

  it("end with their caller, who gets the abort, and take the frame back if they can", async () => {
    const { clock, rpc, post, call, state, sent } = world();
    rpc.connected(post);
    rpc.acked(["rpc-v1"]);
    state.write = false;
    const stop = new AbortController();
    const calling = call(stop.signal);
    stop.abort();
    expect([await calling, sent[0]?.withdrawn, clock.pending]).toEqual([{ kind: "aborted" }, true, 0]);
    expect(await call(stop.signal)).toEqual({ kind: "aborted" });
  });
});

import { describe, expect, it } from "vitest";
import { RequestError } from "../../../../src/lib/api/index.ts";
import { type ReportApi, createDirectSink } from "../../../../src/lib/daemon/task/sink.ts";
import { HeldClock } from "../../../../src/lib/platform/index.ts";
import { silentLogger } from "../../../../src/lib/platform/logger.ts";
import type { TaskRow } from "../../../../src/lib/wire/index.ts";

const row = (status: string): TaskRow => ({ id: "t", agent_id: "a", workspace_id: "w", status });
const http = (status: number, body = "x"): RequestError => new RequestError("POST", "/p", status, body);

/** An api whose every call answers with the next of `answers`, the last one for ever. */
function setup(answers: readonly (Error | TaskRow | "hang")[]) {
  const clock = new HeldClock();
  const times: number[] = [];
  const start = clock.now();
  const next = async (signal?: AbortSignal): Promise<TaskRow> => {
    const answer = answers[Math.min(times.length, answers.length - 1)];
    times.push(clock.now() - start);
    if (answer === "hang") await clock.sleep(86_400_000, signal);
    if (answer instanceof Error) throw answer;
    return answer === undefined || answer === "hang" ? row("completed") : answer;
  };
  const api: ReportApi = {
    messages: async (_id, _batch, options) => void (await next(options?.signal)),
    session: async (_id, _body, options) => void (await next(options?.signal)),
    usage: async (_id, _rows, options) => void (await next(options?.signal)),
    complete: (_id, _body, options) => next(options?.signal),
    fail: (_id, _body, options) => next(options?.signal),
    cancelAck: async (_id, _body, options) => void (await next(options?.signal)),
  };
  return { clock, times, sink: createDirectSink({ api, clock, logger: silentLogger }) };
}

describe("createDirectSink", () => {
  it("tries a terminal report six times, 4 to 64 s apart, then leaves the task as it is", async () => {
    const { clock, times, sink } = setup([http(503)]);
    const answer = sink.terminal({ kind: "complete", taskId: "t", body: { output: "" } });
    await clock.advance(200_000);
    expect(times).toEqual([0, 4000, 12_000, 28_000, 60_000, 124_000]);
    expect(await answer).toMatchObject({ kind: "undelivered" });
    expect(clock.pending).toBe(0);
  });

  it("stops at the first answer", async () => {
    const { clock, times, sink } = setup([http(500), new Error("fetch failed"), row("completed")]);
    const answer = sink.terminal({ kind: "complete", taskId: "t", body: { output: "" } });
    await clock.advance(60_000);
    expect(await answer).toEqual({ kind: "accepted", state: "completed" });
    expect(times.length).toBe(3);
  });

  it.each([400, 401, 404, 409, 422])("never repeats after %i", async (status) => {
    const { times, sink } = setup([http(status)]);
    expect(await sink.terminal({ kind: "complete", taskId: "t", body: { output: "" } })).toMatchObject({ kind: "rejected" });
    expect(times.length).toBe(1);
  });

  it.each([408, 429, 500, 502])("repeats after %i", async (status) => {
    const { clock, times, sink } = setup([http(status), row("failed")]);
    const answer = sink.terminal({ kind: "fail", taskId: "t", body: { error: "e" } });
    await clock.advance(4000);
    expect(await answer).toEqual({ kind: "accepted", state: "failed" });
    expect(times.length).toBe(2);
  });

  it("knows a task that is gone", async () => {
    const { sink } = setup([http(404, '{"error":"task not found"}')]);
    expect(await sink.terminal({ kind: "fail", taskId: "t", body: { error: "e" } })).toEqual({ kind: "gone" });
  });

  it("gives a silent server 30 s an attempt and six minutes in all", async () => {
    const { clock, times, sink } = setup(["hang"]);
    const answer = sink.terminal({ kind: "complete", taskId: "t", body: { output: "" } });
    await clock.advance(6 * 60_000);
    expect(await answer).toMatchObject({ kind: "undelivered" });
    expect(times).toEqual([0, 34_000, 72_000, 118_000, 180_000, 274_000]);
  });

  it("sends messages, session and usage once, and never rejects", async () => {
    const { clock, times, sink } = setup([http(500)]);
    await sink.messages("t", [[]]);
    await sink.session("t", { session_id: "s", work_dir: "/w" });
    await sink.usage("t", []);
    await clock.advance(60_000);
    expect(times.length).toBe(3);
    const silent = setup(["hang"]);
    const sent = silent.sink.messages("t", [[]]);
    await silent.clock.advance(5000);
    await sent;
  });
});

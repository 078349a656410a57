import { describe, expect, it } from "vitest";
import { type LiveSocket, liveServer } from "../../support/live-server.ts";

type Answer = { request_id: string; status: number; error?: string; body?: { tasks: Record<string, unknown>[] } };

async function rpc(socket: LiveSocket, method: string, body: unknown, request_id = "1"): Promise<Answer> {
  socket.send("daemon:rpc_request", { request_id, method, body, timeout_ms: 5000 });
  return (await socket.next("daemon:rpc_response")).payload as unknown as Answer;
}

describe("calls over the socket", () => {
  it("claim exactly what the same call over HTTP would", async () => {
    const server = await liveServer();
    const R = await server.register();
    const A = await server.agent(R);
    const [first, second] = [await server.issue(A, "one"), await server.issue(A, "two")];
    const socket = await server.connect([R], server.token, { "x-client-capabilities": "coalesced-comments-v1, skill-bundles-v1" });
    socket.send("daemon:heartbeat", { runtime_id: R });
    expect((await socket.next("daemon:heartbeat_ack")).payload).toMatchObject({ server_capabilities: ["rpc-v1"] });
    const skill = await server.post<{ id: string }>("/api/skills", { name: "s" });
    await server.put(`/api/agents/${A}/skills`, { skill_ids: [skill.id] });
    const answer = await rpc(socket, "tasks.claim", { daemon_id: "D", runtime_ids: [R], max_tasks: 1 }, "abc");
    expect(answer).toMatchObject({ request_id: "abc", status: 200, body: { tasks: [{ issue_id: first, status: "dispatched", agent: { skill_refs: [{ id: skill.id }] } }] } });
    expect(String(answer.body?.tasks[0]?.["auth_token"])).toMatch(/^mat_/);
    expect(await server.claim([R])).toMatchObject([{ issue_id: second }]);
    expect((await rpc(socket, "tasks.claim", { daemon_id: "D", runtime_ids: [R], max_tasks: 5 })).body).toEqual({ tasks: [] });
  });

  it("carry the status and text of a refusal", async () => {
    const server = await liveServer();
    const R = await server.register();
    const socket = await server.connect([R]);
    expect(await rpc(socket, "tasks.eat", {})).toEqual({ request_id: "1", status: 404, error: "method not found" });
    expect(await rpc(socket, "tasks.claim", {})).toEqual({ request_id: "1", status: 400, error: "daemon_id is required" });
    expect(await rpc(socket, "tasks.claim", { daemon_id: "D", max_tasks: -1 })).toEqual({ request_id: "1", status: 400, error: "max_tasks must not be negative" });
    expect(await rpc(socket, "tasks.claim", { daemon_id: 5 })).toEqual({ request_id: "1", status: 400, error: "invalid request body" });
    socket.send("daemon:rpc_request", { method: "tasks.claim" });
    socket.send("daemon:rpc_request", 7);
    expect(await rpc(socket, "tasks.claim", { daemon_id: "D", runtime_ids: ["x"], max_tasks: 1 }, "2")).toEqual({ request_id: "2", status: 200, body: { tasks: [] } });
    expect(socket.frames).toEqual([]);
  });

  it("answers a burst, each under its own id, whatever the limit lets through", async () => {
    const server = await liveServer();
    const R = await server.register();
    const socket = await server.connect([R]);
    for (let n = 0; n < 40; n += 1) socket.send("daemon:rpc_request", { request_id: `r${n}`, method: "tasks.claim", body: { daemon_id: "D", runtime_ids: [R], max_tasks: 1 } });
    const seen = new Map<string, number>();
    while (seen.size < 40) {
      const { payload } = await socket.next("daemon:rpc_response");
      seen.set(String(payload["request_id"]), Number(payload["status"]));
    }
    expect([...seen.values()].every((status) => status === 200 || status === 429)).toBe(true);
    expect(socket.closeCode).toBeUndefined();
  });
});

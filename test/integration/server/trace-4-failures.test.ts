import { describe, expect, it } from "vitest";
import { type LiveServer, liveServer } from "../../support/live-server.ts";

const UNKNOWN = "00000000-0000-4000-8000-000000000000";

async function running(server: LiveServer) {
  const R = await server.register();
  const A = await server.agent(R);
  const I = await server.issue(A);
  const [task] = await server.claim([R]);
  if (task === undefined) throw new Error("nothing claimed");
  await server.post(`/api/daemon/tasks/${task.id}/start`);
  return { R, A, I, T: task.id, mat: { token: task.auth_token } };
}

const beat = (server: LiveServer, R: string) => server.post("/api/daemon/heartbeat", { runtime_id: R });
const runs = (server: LiveServer, I: string) => server.get<{ id: string; status: string; attempt: number }[]>(`/api/issues/${I}/task-runs`);

describe("trace 4: failures", () => {
  it("delivers a task again after 90 s without a lease, fails it after 300 s, and retries once", async () => {
    const server = await liveServer();
    const R = await server.register();
    const I = await server.issue(await server.agent(R));
    const [first] = await server.claim([R]);
    await server.clock.advance(89_000);
    expect(await server.claim([R])).toEqual([]);
    await server.clock.advance(2_000);
    const [again] = await server.claim([R]);
    expect(again?.id).toBe(first?.id);
    for (const auth of [first, again]) expect((await server.call("GET", `/api/issues/${I}`, undefined, { token: auth?.auth_token ?? "" })).status).toBe(200);
    for (let passed = 0; passed < 331_000; passed += 100_000) {
      await beat(server, R);
      await server.clock.advance(100_000);
    }
    expect(await runs(server, I)).toMatchObject([
      { status: "queued", attempt: 2, parent_task_id: first?.id },
      { status: "failed", attempt: 1, failure_reason: "timeout", error: "task timed out" },
    ]);
  });

  it("recovers what a killed daemon held: the next claim carries session and directory", async () => {
    const server = await liveServer();
    const { R, T } = await running(server);
    await server.post(`/api/daemon/tasks/${T}/session`, { session_id: "S", work_dir: "/w" });
    expect(await server.register()).toBe(R);
    expect(await server.post(`/api/daemon/runtimes/${R}/recover-orphans`)).toEqual({ orphaned: 1, retried: 1 });
    expect(await server.claim([R])).toMatchObject([{ attempt: 2, parent_task_id: T, prior_session_id: "S", prior_work_dir: "/w" }]);
  });

  it("shows a cancellation at once, takes the acknowledgement, and leaves a late report without effect", async () => {
    const server = await liveServer();
    const { I, T, mat } = await running(server);
    expect(await server.post(`/api/tasks/${T}/cancel`)).toMatchObject({ status: "cancelled" });
    expect(await server.get(`/api/daemon/tasks/${T}/status`)).toEqual({ status: "cancelled" });
    expect((await server.call("GET", `/api/issues/${I}`, undefined, mat)).status).toBe(401);
    const ack = await server.call("POST", `/api/daemon/tasks/${T}/cancel-ack`, "no object");
    expect([ack.status, ack.body]).toEqual([200, { status: "ok" }]);
    await server.post(`/api/daemon/tasks/${T}/cancel-ack`, { branch_name: "b" });
    const late = await server.post(`/api/daemon/tasks/${T}/complete`, { output: "late" });
    expect(late).toMatchObject({ status: "cancelled", branch_name: "b", result: null });
    expect((await server.call("POST", `/api/daemon/tasks/${T}/start`, {})).status).toBe(400);
    expect(await server.post(`/api/issues/${I}/tasks/${T}/cancel`)).toMatchObject({ status: "cancelled" });
    expect(await server.get(`/api/issues/${I}/comments`)).toEqual([]);
  });

  it("ends the run of an issue that is deleted, and its token with it", async () => {
    const server = await liveServer();
    const { I, T, mat } = await running(server);
    expect((await server.call("DELETE", `/api/issues/${I}`)).status).toBeLessThan(300);
    expect(await server.get(`/api/daemon/tasks/${T}/status`)).toEqual({ status: "cancelled" });
    expect((await server.call("GET", "/api/me", undefined, mat)).body).toEqual({ error: "invalid token" });
    expect((await server.call("GET", `/api/daemon/issues/${I}/gc-check`)).body).toEqual({ error: "issue not found" });
    expect(await server.get(`/api/daemon/tasks/${T}/gc-check`)).toMatchObject({ status: "cancelled", completed_at: "2026-01-01T00:00:00Z" });
  });

  it("tells a daemon whose runtime row was deleted, and gives it a new one", async () => {
    const server = await liveServer();
    const R = await server.register();
    expect((await server.call("DELETE", `/api/runtimes/${R}`)).status).toBe(200);
    const answer = await server.call("POST", "/api/daemon/heartbeat", { runtime_id: R });
    expect([answer.status, answer.body]).toEqual([404, { error: "runtime not found" }]);
    const next = await server.register();
    expect(next).not.toBe(R);
    expect(await beat(server, next)).toEqual({ status: "ok" });
  });

  it("classifies a failure without a reason, does not retry it, and says so on the issue", async () => {
    const server = await liveServer();
    const { I, T } = await running(server);
    const reason = "agent_error.provider_capacity_or_rate_limit";
    expect(await server.post(`/api/daemon/tasks/${T}/fail`, { error: "API Error: 429 too many requests" })).toMatchObject({ status: "failed", failure_reason: reason });
    expect(await runs(server, I)).toHaveLength(1);
    expect(await server.get(`/api/issues/${I}/comments`)).toMatchObject([{ author_type: "system", content: expect.stringContaining("429 too many requests") }]);
    expect(await server.post(`/api/daemon/tasks/${T}/fail`, { error: "again", failure_reason: "timeout" })).toMatchObject({ failure_reason: reason });
  });

  it("runs two agents on one issue at the same time, but never one agent twice", async () => {
    const server = await liveServer();
    const R = await server.register();
    const A = await server.agent(R);
    const B = await server.agent(R, "Second");
    const I = await server.issue(A);
    await server.post(`/api/issues/${I}/comments`, { content: `[@Second](mention://agent/${B}) help` });
    const claimed = await server.claim([R]);
    expect(claimed.map((task) => task["agent_id"]).sort()).toEqual([A, B].sort());
    for (const task of claimed) await server.post(`/api/daemon/tasks/${task.id}/start`);
    await server.post(`/api/issues/${I}/comments`, { content: "more" });
    expect(await server.claim([R])).toEqual([]);
  });

  it("claims nothing for 0, skips ids it does not know, and gives at most 32", async () => {
    const server = await liveServer();
    const R = await server.register();
    const A = await server.agent(R, "Dev", { max_concurrent_tasks: 50 });
    for (let count = 0; count < 33; count += 1) await server.issue(A, `Issue ${count}`);
    expect(await server.claim([R], 0)).toEqual([]);
    expect(await server.claim([UNKNOWN, "nonsense"], 5)).toEqual([]);
    expect(await server.claim([UNKNOWN, R, "nonsense"], 33)).toHaveLength(32);
    const bad = await server.call("POST", "/api/daemon/tasks/claim", { daemon_id: "D", runtime_ids: [R], max_tasks: -1 });
    expect([bad.status, bad.body]).toEqual([400, { error: "max_tasks must not be negative" }]);
    expect((await server.call("POST", "/api/daemon/tasks/claim", {})).body).toEqual({ error: "daemon_id is required" });
  });

  it("keeps task tokens off the daemon's routes and in their own workspace", async () => {
    const server = await liveServer();
    const { R, I, T, mat } = await running(server);
    for (const [method, path] of [["POST", "/api/daemon/heartbeat"], ["GET", `/api/daemon/tasks/${T}/status`], ["POST", "/api/daemon/tasks/claim"]] as const) {
      const answer = await server.call(method, path, method === "GET" ? undefined : {}, mat);
      expect([answer.status, answer.body]).toEqual([401, { error: "invalid token" }]);
    }
    await expect(server.connect([R], mat.token)).rejects.toThrow("401");
    const other = await server.post<{ id: string }>("/api/workspaces", { name: "Other", slug: "other" });
    expect(await server.get(`/api/issues/${I}`, { ...mat, headers: { "x-workspace-id": other.id } })).toMatchObject({ workspace_id: server.workspaceId });
    expect((await server.call("GET", `/api/workspaces/${other.id}`, undefined, mat)).status).toBe(403);
  });

  it("answers unknown routes with the plain text and unknown ids with the texts daemons act on", async () => {
    const server = await liveServer();
    const route = await server.call("POST", "/api/daemon/nothing/here", {});
    expect([route.status, route.text, route.headers.get("content-type")]).toEqual([404, "404 page not found\n", expect.stringContaining("text/plain")]);
    for (const [path, text] of [
      [`/api/daemon/tasks/${UNKNOWN}/status`, "task not found"],
      [`/api/daemon/workspaces/${UNKNOWN}/repos`, "workspace not found"],
      [`/api/daemon/runtimes/${UNKNOWN}/tasks/pending`, "runtime not found"],
      [`/api/daemon/chat-sessions/${UNKNOWN}/gc-check`, "chat session not found"],
    ]) {
      const answer = await server.call("GET", path ?? "");
      expect([answer.status, answer.body]).toEqual([404, { error: text }]);
    }
    expect((await server.call("GET", "/api/daemon/tasks/nonsense/status")).body).toEqual({ error: "invalid task_id" });
  });
});

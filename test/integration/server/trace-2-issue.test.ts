import { describe, expect, it } from "vitest";
import { liveServer } from "../../support/live-server.ts";

describe("trace 2: an issue is worked on", () => {
  it("goes from the issue to the completed task, the agent acting with its own token", async () => {
    const server = await liveServer();
    const R = await server.register();
    const socket = await server.connect([R]);
    const A = await server.agent(R);
    const issue = await server.call("POST", "/api/issues", { title: "Fix it", assignee_type: "agent", assignee_id: A });
    expect(issue.status).toBe(201);
    expect(issue.body).toMatchObject({ status: "todo", identifier: expect.stringMatching(/^[A-Z]+-1$/) });
    const I = String(issue.body["id"]);

    const hint = await socket.next("daemon:task_available");
    expect(hint.payload).toEqual({ runtime_id: R, task_id: expect.any(String) });
    const T = String(hint.payload["task_id"]);
    const [task] = await server.claim([R]);
    expect(task).toMatchObject({ id: T, issue_id: I, agent_id: A, kind: "direct", status: "dispatched", auth_token: expect.stringMatching(/^mat_/) });
    expect((await server.post(`/api/daemon/runtimes/${R}/tasks/${T}/prepare-lease`))["status"]).toBe("dispatched");
    expect(await server.post(`/api/daemon/tasks/${T}/start`)).toMatchObject({ status: "running", started_at: "2026-01-01T00:00:00Z" });
    const again = await server.call("POST", `/api/daemon/tasks/${T}/start`, {});
    expect([again.status, again.body]).toEqual([400, { error: "task cannot be started in status running" }]);
    const pin = await server.call("POST", `/api/daemon/tasks/${T}/session`, { session_id: "S", work_dir: "/w" });
    expect([pin.status, pin.text]).toEqual([204, ""]);
    expect((await server.call("POST", `/api/daemon/tasks/${T}/session`, {})).body).toEqual({ error: "session_id or work_dir required" });
    expect(await server.post(`/api/daemon/tasks/${T}/progress`, { summary: "Launching codex", step: 1, total: 2 })).toEqual({ status: "ok" });
    expect(await server.post(`/api/daemon/tasks/${T}/messages`, { messages: [{ seq: 1, type: "text", content: "hello" }] })).toEqual({ status: "ok" });
    expect(await server.post(`/api/daemon/tasks/${T}/messages`, { messages: [] })).toEqual({ status: "ok" });
    expect(await server.get(`/api/daemon/tasks/${T}/messages?since=0`)).toMatchObject([{ task_id: T, issue_id: I, seq: 1, content: "hello", created_at: "2026-01-01T00:00:00.000000000Z" }]);
    expect(await server.get(`/api/tasks/${T}/messages?since=1`)).toEqual([]);

    const mat = { token: task?.auth_token ?? "" };
    expect(await server.get(`/api/issues/${I}`, mat)).toMatchObject({ id: I });
    expect(await server.put(`/api/issues/${I}`, { status: "in_progress" }, mat)).toMatchObject({ status: "in_progress" });
    const comment = await server.call("POST", `/api/issues/${I}/comments`, { content: "done: fixed" }, mat);
    expect([comment.status, comment.body]).toEqual([201, expect.objectContaining({ author_type: "agent", author_id: A, source_task_id: T })]);
    expect(await server.put(`/api/issues/${I}`, { status: "in_review" }, mat)).toMatchObject({ status: "in_review" });

    const usage = { provider: "Codex", model: "m", input_tokens: 10, output_tokens: 5, cache_read_tokens: 0, cache_write_tokens: 0 };
    expect(await server.post(`/api/daemon/tasks/${T}/usage`, { usage: [usage] })).toEqual({ status: "ok" });
    expect(await server.get(`/api/daemon/tasks/${T}/status`)).toEqual({ status: "running" });
    const report = { output: "fixed", session_id: "S", work_dir: "/w", branch_name: "agent/x" };
    const done = await server.post(`/api/daemon/tasks/${T}/complete`, report);
    expect(done).toMatchObject({ status: "completed", session_id: "S", work_dir: "/w", branch_name: "agent/x", result: { output: "fixed" } });
    await server.clock.advance(60_000);
    expect(await server.post(`/api/daemon/tasks/${T}/complete`, { output: "twice" })).toEqual(done);

    expect((await server.call("GET", `/api/issues/${I}`, undefined, mat)).status).toBe(401);
    expect(await server.get(`/api/issues/${I}`)).toMatchObject({ status: "in_review" });
    expect(await server.get(`/api/issues/${I}/comments`)).toHaveLength(1);
    expect(await server.get(`/api/issues/${I}/task-runs`)).toMatchObject([{ id: T, status: "completed", usage: [{ provider: "codex", input_tokens: 10 }] }]);
  });

  it("hands a task out over the single claim as well, and lists what waits", async () => {
    const server = await liveServer();
    const R = await server.register();
    await server.issue(await server.agent(R));
    expect(await server.get(`/api/daemon/runtimes/${R}/tasks/pending`)).toMatchObject([{ status: "queued" }]);
    expect(await server.post(`/api/daemon/runtimes/${R}/tasks/claim`)).toMatchObject({ task: { status: "dispatched", auth_token: expect.stringMatching(/^mat_/) } });
    expect(await server.post(`/api/daemon/runtimes/${R}/tasks/claim`)).toEqual({ task: null });
    const pending = await server.get<Record<string, unknown>[]>(`/api/daemon/runtimes/${R}/tasks/pending`);
    expect(pending).toMatchObject([{ status: "dispatched" }]);
    expect(JSON.stringify(pending)).not.toContain("mat_");
  });
});

import { describe, expect, it } from "vitest";
import { type CallOptions, type ClaimedTask, liveServer } from "../../support/live-server.ts";

/** What a daemon of the base generation says it understands; the newer one adds to it. */
const BASE: CallOptions = { headers: { "x-client-capabilities": "skill-bundles-v1" } };
const NEWER: CallOptions = { headers: { "x-client-capabilities": "skill-bundles-v1,coalesced-comments-v1,local-worktree-v1" } };

describe("a daemon of the base generation (server-api.md 15.2)", () => {
  it("finds everything it asks for, from its workspaces to the check before it deletes a directory", async () => {
    const server = await liveServer();
    const W = server.workspaceId;
    const settings = { github_enabled: false };
    expect((await server.call("PATCH", `/api/workspaces/${W}`, { settings, repos: [{ url: "https://example.test/r.git" }] })).status).toBe(200);
    const bare: CallOptions = { headers: { ...BASE.headers, "x-workspace-id": "" } };
    expect(await server.get("/api/workspaces", bare)).toMatchObject([{ id: W }]);
    const facts = { repos: [{ url: "https://example.test/r.git" }], repos_version: expect.stringMatching(/^[0-9a-f]{64}$/), settings };
    const registered = await server.post<{ runtimes: { id: string }[] }>(
      "/api/daemon/register",
      { workspace_id: W, daemon_id: "D", device_name: "host", cli_version: "0.4.3", launched_by: "", runtimes: [{ name: "Codex", type: "codex", version: "1.0.0", status: "online" }] },
      BASE,
    );
    expect(registered).toMatchObject(facts);
    expect(await server.get(`/api/daemon/workspaces/${W}/repos`, BASE)).toMatchObject({ workspace_id: W, ...facts });
    const R = registered.runtimes[0]?.id ?? "";
    const beat = await server.post("/api/daemon/heartbeat", { runtime_id: R, supports_batch_import: true }, BASE);
    expect(beat).toEqual({ status: "ok" });
    const socket = await server.connect([R], server.token, BASE.headers);
    socket.send("daemon:heartbeat", { runtime_id: R, supports_batch_import: true });
    expect((await socket.next("daemon:heartbeat_ack")).payload).toMatchObject({ runtime_id: R, status: "ok" });

    const A = await server.agent(R);
    const I = await server.issue(A);
    await server.post(`/api/issues/${I}/comments`, { content: "first" });
    await server.post(`/api/issues/${I}/comments`, { content: "second" });
    const { task } = await server.post<{ task: ClaimedTask }>(`/api/daemon/runtimes/${R}/tasks/claim`, {}, BASE);
    expect(task).toMatchObject({ issue_id: I, repos: facts.repos, trigger_comment_content: "Local user: first\n\nsecond" });
    expect(task).not.toHaveProperty("coalesced_comments");
    expect(await server.post<{ task: null }>(`/api/daemon/runtimes/${R}/tasks/claim`, {}, BASE)).toEqual({ task: null });
    await server.post(`/api/daemon/runtimes/${R}/tasks/${task.id}/prepare-lease`, {}, BASE);
    await server.post(`/api/daemon/tasks/${task.id}/start`, {}, BASE);
    await server.post(`/api/daemon/tasks/${task.id}/complete`, { output: "done it", session_id: "S", work_dir: "/w" }, BASE);
    expect(await server.get(`/api/daemon/issues/${I}/gc-check`, BASE)).toMatchObject({ status: "todo" });
    expect(await server.get(`/api/daemon/tasks/${task.id}/gc-check`, BASE)).toMatchObject({ status: "completed" });
    expect(await server.post("/api/daemon/deregister", { runtime_ids: [R] }, BASE)).toEqual({ status: "ok" });
    expect(await server.get("/api/runtimes")).toMatchObject([{ id: R, status: "offline" }]);
  });
});

describe("a newer daemon (server-api.md 15.2)", () => {
  it("finds batches, a list of workspaces that may be unchanged, and the acknowledgement; no feature flags are sent to it", async () => {
    const server = await liveServer();
    const R = await server.register();
    const first = await server.call("GET", "/api/daemon/workspaces", undefined, NEWER);
    expect(first.body).toEqual([{ id: server.workspaceId, name: expect.any(String) }]);
    const again = await server.call("GET", "/api/daemon/workspaces", undefined, { headers: { ...NEWER.headers, "if-none-match": first.headers.get("etag") ?? "" } });
    expect([again.status, again.text]).toEqual([304, ""]);
    const I = await server.issue(await server.agent(R));
    await server.post(`/api/issues/${I}/comments`, { content: "more" });
    await server.post(`/api/issues/${I}/comments`, { content: "and more" });
    const { tasks } = await server.post<{ tasks: ClaimedTask[] }>("/api/daemon/tasks/claim", { daemon_id: "D", runtime_ids: [R], max_tasks: 5 }, NEWER);
    expect(tasks).toMatchObject([{ issue_id: I, trigger_comment_content: "and more", coalesced_comments: [{ content: "more" }], leader_role_resolved: true, is_leader_task: false }]);
    const T = tasks[0]?.id ?? "";
    await server.post(`/api/tasks/${T}/cancel`);
    expect(await server.post(`/api/daemon/tasks/${T}/cancel-ack`, { branch_name: "b" }, NEWER)).toEqual({ status: "ok" });
    const { issues } = await server.post<{ issues: object[] }>(`/api/daemon/workspaces/${server.workspaceId}/issues/gc-check`, { issue_ids: [I] }, NEWER);
    expect(issues).toMatchObject([{ id: I, found: true }]);
    expect(await server.post("/api/daemon/heartbeat", { runtime_id: R, supports_batch_import: true }, NEWER)).not.toHaveProperty("feature_flags");
  });
});

describe("what users see of tasks (server-api.md 13.6)", () => {
  it("is a snapshot of what is under way and of each agent's last run, without other people's conversations", async () => {
    const server = await liveServer();
    const R = await server.register();
    const [A, B] = [await server.agent(R, "A"), await server.agent(R, "B")];
    const ended: string[] = [];
    for (const title of ["one", "two"]) {
      await server.issue(A, title);
      const [task] = await server.claim([R]);
      await server.post(`/api/daemon/tasks/${task?.id}/start`);
      await server.clock.advance(1000);
      await server.post(`/api/daemon/tasks/${task?.id}/complete`, { output: "x" });
      ended.push(task?.id ?? "");
    }
    await server.issue(B);
    const S = String((await server.post("/api/chat/sessions", { agent_id: A }))["id"]);
    const { task_id: turn } = await server.post<{ task_id: string }>(`/api/chat/sessions/${S}/messages`, { content: "hello" });
    const seen = async (options: CallOptions = {}) => (await server.get<{ id: string; agent_id: string; status: string }[]>("/api/agent-task-snapshot", options));
    expect((await seen()).map((task) => [task.agent_id, task.status])).toEqual([[A, "queued"], [B, "queued"], [A, "completed"]]);
    expect((await seen()).map((task) => task.id)).not.toContain(ended[0]);
    const work = (await server.claim([R])).find((task) => task.agent_id === B);
    const listed = async (options: CallOptions = {}) => (await server.get<{ id: string }[]>(`/api/agents/${A}/tasks`, options)).map((task) => task.id);
    expect(await listed()).toContain(turn);
    expect(await listed({ token: work?.auth_token ?? "" })).not.toContain(turn);
    const asAgent = await seen({ token: work?.auth_token ?? "" });
    expect(asAgent.map((task) => task.id)).not.toContain(turn);
    expect(asAgent.map((task) => [task.agent_id, task.status])).toEqual([[B, "dispatched"], [A, "completed"]]);
  });
});

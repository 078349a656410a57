import { describe, expect, it } from "vitest";
import { liveServer } from "../../support/live-server.ts";

describe("quick create", () => {
  it("has an agent write the issue, ties it to the task and tells the person", async () => {
    const server = await liveServer();
    const R = await server.register();
    const A = await server.agent(R);
    const P = String((await server.post("/api/projects", { title: "Ship" }))["id"]);
    const parent = String((await server.post("/api/issues", { title: "parent" }))["id"]);
    const asked = await server.call("POST", "/api/issues/quick-create", { agent_id: A, prompt: "the login is slow", priority: "high", due_date: "2027-01-31", project_id: P, parent_issue_id: parent });
    expect(asked.status).toBe(202);
    const T = String(asked.body["task_id"]);
    const [task] = await server.claim([R]);
    expect(task).toMatchObject({ id: T, kind: "quick_create", issue_id: "", quick_create_prompt: "the login is slow", quick_create_priority: "high", quick_create_due_date: "2027-01-31", project_id: P, project_title: "Ship", parent_issue_id: parent, parent_issue_identifier: "LOCA-1", priority: 3 });
    await server.post(`/api/daemon/tasks/${T}/start`);
    const agent = { token: task?.auth_token ?? "" };
    const issue = await server.call("POST", "/api/issues", { title: "Login is slow", origin_type: "quick_create", origin_id: T }, agent);
    expect([issue.status, issue.body]).toMatchObject([201, { creator_type: "agent", origin_id: T }]);
    expect(await server.post(`/api/daemon/tasks/${T}/complete`, { output: "LOCA-2" })).toMatchObject({ status: "completed", issue_id: issue.body["id"] });
    expect(await server.get("/api/inbox")).toMatchObject([{ type: "quick_create_done", title: "LOCA-2 Login is slow", issue_id: issue.body["id"], details: { task_id: T } }]);
    expect(await server.get(`/api/issues/${String(issue.body["id"])}/task-runs`)).toMatchObject([{ id: T, kind: "quick_create" }]);
    expect(await server.get(`/api/daemon/tasks/${T}/gc-check`)).toMatchObject({ status: "completed" });
    expect((await server.get<{ user_type: string }[]>(`/api/issues/${String(issue.body["id"])}/subscribers`)).map((one) => one.user_type).sort()).toEqual(["agent", "member"]);
  });

  it("tells the person when no issue came of it", async () => {
    const server = await liveServer();
    const R = await server.register();
    const A = await server.agent(R);
    for (const [end, body, text] of [["complete", { output: "I could not" }, "I could not"], ["fail", { error: "API Error: 429" }, "API Error: 429"]] as const) {
      await server.post("/api/issues/quick-create", { agent_id: A, prompt: "x" });
      const [task] = await server.claim([R]);
      await server.post(`/api/daemon/tasks/${task?.id}/start`);
      await server.post(`/api/daemon/tasks/${task?.id}/${end}`, body);
      expect((await server.get<object[]>("/api/inbox"))[0]).toMatchObject({ type: "quick_create_failed", severity: "attention", body: text });
    }
    await server.post("/api/issues/quick-create", { agent_id: A, prompt: "x" });
    const [task] = await server.claim([R]);
    await server.post(`/api/tasks/${task?.id}/cancel`);
    expect(await server.get("/api/inbox")).toHaveLength(2);
  });

  it("runs one at a time per agent, and leads a squad's by its leader", async () => {
    const server = await liveServer();
    const R = await server.register();
    const A = await server.agent(R);
    const S = String((await server.post("/api/squads", { name: "Core", leader_id: A }))["id"]);
    await server.post("/api/issues/quick-create", { agent_id: A, prompt: "one" });
    await server.post("/api/issues/quick-create", { squad_id: S, prompt: "two" });
    const [first, none] = await server.claim([R]);
    expect([first?.["quick_create_prompt"], none]).toEqual(["one", undefined]);
    await server.post(`/api/daemon/tasks/${first?.id}/start`);
    await server.post(`/api/daemon/tasks/${first?.id}/complete`, { output: "" });
    expect(await server.claim([R])).toMatchObject([{ quick_create_prompt: "two", squad_id: S, squad_name: "Core", agent_id: A }]);
  });

  it("refuses what cannot be run now", async () => {
    const server = await liveServer();
    const R = await server.register();
    const A = await server.agent(R);
    const old = await server.post<{ runtimes: { id: string }[] }>("/api/daemon/register", { workspace_id: server.workspaceId, daemon_id: "old", cli_version: "0.3.1", runtimes: [{ name: "c", type: "claude", status: "online" }] });
    const B = await server.agent(old.runtimes[0]?.id ?? "", "Old");
    await server.issue(A);
    const [other] = await server.claim([R]);
    for (const [body, status, part] of [
      [{ prompt: "x" }, 400, { error: "exactly one of agent_id or squad_id is required" }],
      [{ prompt: "x", agent_id: A, squad_id: A }, 400, { error: "exactly one of agent_id or squad_id is required" }],
      [{ agent_id: A }, 400, { error: "prompt is required" }],
      [{ agent_id: "x", prompt: "x" }, 400, { error: "invalid agent_id" }],
      [{ agent_id: R, prompt: "x" }, 404, { error: "agent not found" }],
      [{ squad_id: A, prompt: "x" }, 404, { error: "squad not found" }],
      [{ agent_id: A, prompt: "x", priority: "huge" }, 400, {}],
      [{ agent_id: A, prompt: "x", attachment_ids: [A] }, 400, { error: "one or more attachments not found" }],
      [{ agent_id: B, prompt: "x", priority: "low" }, 422, { code: "daemon_version_unsupported", current_version: "0.3.1", min_version: "0.4.3" }],
    ] as const) {
      expect(await server.call("POST", "/api/issues/quick-create", body), JSON.stringify(body)).toMatchObject({ status, body: part });
    }
    expect((await server.call("POST", "/api/issues/quick-create", { agent_id: B, prompt: "x" })).status).toBe(202);
    await server.post("/api/daemon/deregister", { runtime_ids: [R] });
    expect(await server.call("POST", "/api/issues/quick-create", { agent_id: A, prompt: "x" })).toMatchObject({ status: 422, body: { code: "agent_unavailable", reason_code: "runtime_offline" } });
    await server.post(`/api/agents/${A}/archive`);
    expect(await server.call("POST", "/api/issues/quick-create", { agent_id: A, prompt: "x" })).toMatchObject({ status: 422, body: { reason_code: "target_unavailable" } });
    const foreign = await server.call("POST", "/api/issues", { title: "x", origin_type: "quick_create", origin_id: other?.id });
    expect([foreign.status, foreign.body]).toEqual([400, { error: "origin_id does not refer to a quick-create task" }]);
  });
});

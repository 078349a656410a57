import { describe, expect, it } from "vitest";
import { uuid } from "../../../src/lib/core/index.ts";
import { testServer } from "../../support/server.ts";

describe("workspace resolution (server-api.md 2.4)", () => {
  it("tells a missing, a malformed and an unknown workspace apart", async () => {
    const server = await testServer();
    const list = async (path: string, headers: Record<string, string> = {}): Promise<unknown[]> => {
      const reply = await server.call("GET", path, undefined, { workspace: null, headers });
      return [reply.status, reply.body["error"]];
    };
    expect(await list("/api/issues")).toEqual([400, "workspace_id or workspace_slug is required"]);
    expect(await list("/api/issues?workspace_id=7")).toEqual([400, "invalid workspace_id"]);
    expect(await list(`/api/issues?workspace_id=${uuid()}`)).toEqual([404, "workspace not found"]);
    expect(await list("/api/issues?workspace_slug=nope")).toEqual([404, "workspace not found"]);
    expect(await list("/api/issues?workspace_slug=local")).toEqual([200, undefined]);
  });

  it("takes the slug before the id, and the query before the header", async () => {
    const server = await testServer();
    const other = await server.ok("POST", "/api/workspaces", { name: "Other", slug: "other" });
    await server.ok("POST", "/api/issues", { title: "there" }, { workspace: String(other["id"]) });
    const total = async (path: string, headers: Record<string, string>): Promise<unknown> =>
      (await server.call("GET", path, undefined, { workspace: null, headers })).body["total"];
    const local = server.workspaceId;
    expect(await total("/api/issues?workspace_slug=other", { "x-workspace-slug": "local" })).toBe(1);
    expect(await total(`/api/issues?workspace_id=${local}`, { "x-workspace-slug": "other" })).toBe(1);
    expect(await total(`/api/issues?workspace_id=${local}`, { "x-workspace-id": String(other["id"]) })).toBe(0);
  });

  it("keeps the issues of another workspace out of sight", async () => {
    const server = await testServer();
    const other = await server.ok("POST", "/api/workspaces", { name: "Other", slug: "other" });
    const issue = await server.ok("POST", "/api/issues", { title: "there" }, { workspace: String(other["id"]) });
    expect((await server.call("GET", `/api/issues/${String(issue["id"])}`)).body["error"]).toBe("issue not found");
  });
});

describe("a task token (server-api.md 2.1, 2.4, 2.5)", () => {
  it("is bound to its workspace whatever the headers say, and refused for another one in the path", async () => {
    const server = await testServer();
    const agent = await server.agent();
    const task = await server.startedIssue(agent);
    const other = String((await server.ok("POST", "/api/workspaces", { name: "Other", slug: "other" }))["id"]);
    const mine = await server.call("GET", `/api/issues?workspace_slug=other`, undefined, { token: task.token, workspace: other });
    expect([mine.status, mine.body["total"]]).toEqual([200, 1]);
    const path = await server.call("GET", `/api/workspaces/${other}`, undefined, { token: task.token });
    expect([path.status, path.body["error"]]).toEqual([403, "task token is bound to a different workspace"]);
    const list = await server.call("GET", "/api/workspaces", undefined, { token: task.token });
    expect(list.list.map((workspace) => workspace["slug"])).toEqual(["local"]);
  });

  it("acts as its agent, whoever the headers claim to be", async () => {
    const server = await testServer();
    const agent = await server.agent();
    const task = await server.startedIssue(agent);
    const headers = { "x-user-id": uuid(), "x-agent-id": uuid(), "x-task-id": uuid(), "x-actor-source": "member" };
    const comment = await server.ok("POST", `/api/issues/${task.id}/comments`, { content: "done" }, { token: task.token, headers });
    expect(comment).toMatchObject({ author_type: "agent", author_id: agent.id, source_task_id: task.taskId });
  });

  it("opens nothing that only the person may do", async () => {
    const server = await testServer();
    const agent = await server.agent();
    const task = await server.startedIssue(agent);
    const workspace = `/api/workspaces/${server.workspaceId}`;
    const refused: [string, string, unknown?][] = [
      ["GET", "/api/tokens"],
      ["POST", "/api/tokens", { name: "mine" }],
      ["POST", "/api/cli-token", {}],
      ["PATCH", "/api/me", { name: "x" }],
      ["POST", "/api/workspaces", { name: "x", slug: "x" }],
      ["PATCH", workspace, { repos: [{ url: "https://example.com/x.git" }] }],
      ["POST", `${workspace}/runtime-profiles`, { display_name: "x", protocol_family: "codex", command_name: "sh" }],
      ["PATCH", `/api/runtimes/${agent.runtimeId}`, { visibility: "public" }],
      ["DELETE", `/api/runtimes/${agent.runtimeId}`],
      ["GET", `/api/agents/${agent.id}/env`],
      ["PUT", `/api/agents/${agent.id}/env`, { custom_env: {} }],
      ["PUT", `/api/agents/${agent.id}`, { custom_args: ["--yolo"] }],
    ];
    for (const [method, path, body] of refused) {
      const reply = await server.call(method, path, body, { token: task.token });
      expect([method, path, reply.status]).toEqual([method, path, 403]);
    }
    const renew = await server.call("POST", "/api/tokens/current/renew", {}, { token: task.token });
    expect(renew.status).toBe(400);
    const daemon = await server.call("GET", "/api/daemon/workspaces", undefined, { token: task.token });
    expect([daemon.status, daemon.body["error"]]).toEqual([401, "invalid token"]);
  });

  it("ends with its task, however that ends", async () => {
    const server = await testServer();
    const agent = await server.agent();
    const end: ((task: { id: string; taskId: string }) => Promise<unknown>)[] = [
      (task) => server.ok("POST", `/api/daemon/tasks/${task.taskId}/complete`, { output: "ok" }),
      (task) => server.ok("POST", `/api/daemon/tasks/${task.taskId}/fail`, { error: "no", failure_reason: "agent_error" }),
      (task) => server.ok("POST", `/api/issues/${task.id}/tasks/${task.taskId}/cancel`, {}),
      (task) => server.ok("DELETE", `/api/issues/${task.id}`),
    ];
    for (const [index, finish] of end.entries()) {
      const task = await server.startedIssue(agent, `Issue ${index}`);
      expect((await server.call("GET", `/api/issues/${task.id}`, undefined, { token: task.token })).status).toBe(200);
      await finish(task);
      expect((await server.call("GET", "/api/me", undefined, { token: task.token })).body["error"]).toBe("invalid token");
    }
  });
});

describe("actor headers on a personal token (server-api.md 2.5)", () => {
  it("make an agent only together, and only for a real task of that agent", async () => {
    const server = await testServer();
    const agent = await server.agent();
    const task = await server.startedIssue(agent);
    const author = async (headers: Record<string, string>): Promise<unknown> =>
      (await server.ok("POST", `/api/issues/${task.id}/comments`, { content: "/note hi" }, { headers }))["author_type"];
    expect(await author({ "x-agent-id": agent.id })).toBe("member");
    expect(await author({ "x-agent-id": agent.id, "x-task-id": uuid() })).toBe("member");
    expect(await author({ "x-agent-id": uuid(), "x-task-id": task.taskId })).toBe("member");
    expect(await author({ "x-agent-id": agent.id, "x-task-id": task.taskId })).toBe("agent");
  });
});

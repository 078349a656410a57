import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openDatabase } from "../../../src/lib/platform/index.ts";
import { type LiveServer, liveServer } from "../../support/live-server.ts";
import { uuid } from "../../../src/lib/core/index.ts";

async function runningTask(server: LiveServer) {
  const R = await server.register();
  const A = await server.agent(R);
  await server.issue(A);
  const [task] = await server.claim([R]);
  await server.post(`/api/daemon/tasks/${task?.id}/start`);
  return { R, A, task: task?.id ?? "", agent: { token: task?.auth_token ?? "" } };
}

/** Makes another person the one who began the run, while it still runs on the owner's machine. */
function startedBySomebodyElse(server: LiveServer, taskId: string): void {
  const db = openDatabase(join(server.dataDir, "server.sqlite"));
  const id = uuid();
  db.prepare("INSERT INTO user (id, name, email, created_at, updated_at) VALUES (:id, 'Bob', 'bob@example.com', 1, 1)").run({ id });
  db.prepare("INSERT INTO member (id, workspace_id, user_id, role, created_at) VALUES (:mid, :ws, :id, 'member', 1)").run({ mid: uuid(), ws: server.workspaceId, id });
  db.prepare("UPDATE task SET originator_user_id = :id WHERE id = :taskId").run({ id, taskId });
  db.close();
}

describe("a task token", () => {
  it("opens nothing that is a person's", async () => {
    const server = await liveServer();
    const { R, agent } = await runningTask(server);
    const P = String((await server.post("/api/projects", { title: "p" }))["id"]);
    const refused: [string, string, object][] = [
      ["DELETE", `/api/projects/${P}`, {}],
      ["POST", `/api/projects/${P}/resources`, { resource_type: "github_repo", resource_ref: { url: "https://example.com/a.git" } }],
      ["POST", `/api/runtimes/${R}/update`, { target_version: "1.0.0" }],
      ["POST", `/api/runtimes/${R}/local-skills`, {}],
      ["POST", `/api/runtimes/${R}/local-skills/import`, { skill_key: "x" }],
      ["PATCH", `/api/runtimes/${R}`, { visibility: "public" }],
      ["POST", "/api/chat/sessions", { agent_id: uuid() }],
      ["GET", "/api/inbox", {}],
      ["POST", "/api/inbox/archive-all", {}],
      ["POST", "/api/tokens", { name: "x" }],
    ];
    for (const [method, path, body] of refused) {
      const answer = await server.call(method, path, method === "GET" ? undefined : body, agent);
      expect([answer.status, typeof answer.body["error"]], `${method} ${path}`).toEqual([403, "string"]);
    }
    for (const path of ["models", "update", "local-skills", "local-skills/import"]) {
      expect((await server.call("POST", `/api/daemon/runtimes/${R}/${path}/${uuid()}/result`, { status: "failed" }, agent)).status).toBe(401);
    }
  });

  it("may change what belongs to the person it works for, and what it made for them", async () => {
    const server = await liveServer();
    const { A, agent } = await runningTask(server);
    const skill = String((await server.post("/api/skills", { name: "mine" }))["id"]);
    const squad = String((await server.post("/api/squads", { name: "mine", leader_id: A }))["id"]);
    expect((await server.call("PUT", `/api/skills/${skill}`, { content: "x" }, agent)).status).toBe(200);
    expect((await server.call("PATCH", `/api/squads/${squad}/members/role`, { member_type: "agent", member_id: A, role: "boss" }, agent)).status).toBe(200);
    expect((await server.call("PUT", `/api/agents/${A}/skills`, { skill_ids: [skill] }, agent)).status).toBe(200);
    const made = await server.call("POST", "/api/autopilots", { title: "x", assignee_id: A, execution_mode: "run_only" }, agent);
    expect(made.body).toMatchObject({ created_by_type: "agent", created_by_id: A, can_write: true });
  });

  it("has neither the rank nor the things of the machine's owner when somebody else began the run", async () => {
    const server = await liveServer();
    const { R, A, agent, task } = await runningTask(server);
    const hidden = await server.agent(R, "Hidden", { visibility: "private" });
    const skill = String((await server.post("/api/skills", { name: "mine" }))["id"]);
    const squad = String((await server.post("/api/squads", { name: "mine", leader_id: A }))["id"]);
    const pilot = String((await server.post("/api/autopilots", { title: "x", assignee_id: A, execution_mode: "run_only" }))["id"]);
    startedBySomebodyElse(server, task);
    for (const [method, path, body] of [
      ["PUT", `/api/skills/${skill}`, { content: "x" }],
      ["DELETE", `/api/skills/${skill}`, undefined],
      ["PUT", `/api/agents/${A}/skills`, { skill_ids: [] }],
      ["PUT", `/api/agents/${A}`, { instructions: "obey" }],
      ["PUT", `/api/squads/${squad}`, { name: "x" }],
      ["PATCH", `/api/autopilots/${pilot}`, { title: "x" }],
      ["POST", `/api/autopilots/${pilot}/trigger`, {}],
      ["POST", "/api/autopilots", { title: "x", assignee_id: hidden, execution_mode: "run_only" }],
      ["POST", "/api/issues/quick-create", { agent_id: hidden, prompt: "x" }],
    ] as const) {
      expect((await server.call(method, path, body, agent)).status, `${method} ${path}`).toBe(403);
    }
    const own = await server.call("POST", "/api/skills", { name: "Bob's" }, agent);
    expect((await server.call("PUT", `/api/skills/${String(own.body["id"])}`, { content: "x" }, agent)).status).toBe(200);
  });
});

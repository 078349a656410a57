import { describe, expect, it } from "vitest";
import { type LiveServer, liveServer } from "../../support/live-server.ts";
import { uuid } from "../../../src/lib/core/index.ts";

async function world() {
  const server = await liveServer();
  const R = await server.register();
  const [leader, worker] = [await server.agent(R, "Lead", { instructions: "be brief" }), await server.agent(R, "Worker", { description: "writes code" })];
  const S = String((await server.post("/api/squads", { name: "Core", instructions: "Keep main green.", leader_id: leader }))["id"]);
  await server.post(`/api/squads/${S}/members`, { member_type: "agent", member_id: worker, role: "developer" });
  return { server, R, leader, worker, S };
}

const assign = (server: LiveServer, S: string, more: object = {}) => server.post<{ id: string }>("/api/issues", { title: "Do it", assignee_type: "squad", assignee_id: S, ...more });

describe("squads", () => {
  it("have a leader, members with roles, and end as an archive that hands its issues on", async () => {
    const { server, leader, worker, S } = await world();
    expect(await server.get("/api/squads")).toMatchObject([{ id: S, name: "Core", leader_id: leader, member_count: 2, member_preview: [{ member_id: leader, role: "leader" }, { member_id: worker, role: "developer" }] }]);
    expect((await server.call("PATCH", `/api/squads/${S}/members/role`, { member_type: "agent", member_id: worker, role: "tester" })).body).toMatchObject({ role: "tester" });
    const issue = await assign(server, S);
    expect(await server.get(`/api/squads/${S}/members/status`)).toMatchObject([{ member_id: leader, status: "idle" }, { member_id: worker, status: "idle" }]);
    expect((await server.call("DELETE", `/api/squads/${S}/members`, { member_type: "agent", member_id: worker })).status).toBe(204);
    expect(await server.get(`/api/squads/${S}/members`)).toHaveLength(1);
    expect(await server.put(`/api/squads/${S}`, { leader_id: worker, name: "Core 2" })).toMatchObject({ leader_id: worker, member_count: 2 });
    expect((await server.call("DELETE", `/api/squads/${S}`)).status).toBe(204);
    const again = await server.call("DELETE", `/api/squads/${S}`);
    expect([again.status, again.body]).toEqual([400, { error: "squad is already archived" }]);
    expect(await server.get(`/api/issues/${issue.id}`)).toMatchObject({ assignee_type: "agent", assignee_id: worker });
    expect(await server.get("/api/squads")).toEqual([]);
    const late = await server.call("POST", "/api/issues", { title: "x", assignee_type: "squad", assignee_id: S });
    expect([late.status, late.body]).toEqual([400, { error: "cannot assign to an archived squad" }]);
  });

  it("refuse what cannot be", async () => {
    const { server, leader, S } = await world();
    for (const [method, path, body, status, error] of [
      ["POST", "/api/squads", { leader_id: leader }, 400, "name is required"],
      ["POST", "/api/squads", { name: "x" }, 400, "leader_id is required"],
      ["POST", "/api/squads", { name: "x", leader_id: uuid() }, 400, "leader_id does not refer to an agent of this workspace"],
      ["POST", "/api/squads", { name: "Core", leader_id: leader }, 409, "a squad with this name already exists"],
      ["POST", `/api/squads/${S}/members`, { member_type: "robot", member_id: leader }, 400, "member_type must be 'agent' or 'member'"],
      ["POST", `/api/squads/${S}/members`, { member_type: "agent", member_id: leader }, 409, "already a member of this squad"],
      ["POST", `/api/squads/${S}/members`, { member_type: "member", member_id: uuid() }, 400, "member_id does not refer to a member of this workspace"],
      ["DELETE", `/api/squads/${S}/members`, { member_type: "agent", member_id: leader }, 400, "the leader cannot be removed from its squad"],
      ["PATCH", `/api/squads/${S}/members/role`, { member_type: "agent", member_id: uuid(), role: "x" }, 404, "squad member not found"],
      ["GET", `/api/squads/${uuid()}`, undefined, 404, "squad not found"],
      ["POST", "/api/issues", { title: "x", assignee_type: "squad", assignee_id: uuid() }, 400, "assignee_id does not refer to a squad in this workspace"],
    ] as const) {
      const answer = await server.call(method, path, body);
      expect([answer.status, answer.body["error"]], `${method} ${path}`).toEqual([status, error]);
    }
  });
});

describe("a squad's leader", () => {
  it("is started by an assignment, briefed, and woken by its workers' comments", async () => {
    const { server, R, leader, worker, S } = await world();
    const issue = await assign(server, S);
    const [task] = await server.claim([R]);
    expect(task).toMatchObject({ agent_id: leader, squad_id: S, squad_name: "Core", is_leader_task: true, leader_role_resolved: true });
    const { instructions } = task?.["agent"] as { instructions: string };
    expect(instructions).toMatch(/^be brief\n\n# Squad Core/);
    for (const part of ["Keep main green.", `mention://agent/${worker}`, "developer", "writes code"]) expect(instructions).toContain(part);
    await server.post(`/api/daemon/tasks/${task?.id}/start`);
    const asLeader = { token: task?.auth_token ?? "" };
    const handed = await server.call("POST", `/api/issues/${issue.id}/comments`, { content: `[@Worker](mention://agent/${worker}) please` }, asLeader);
    expect(handed.body["trigger_outcomes"]).toMatchObject([{ target_id: worker, status: "queued" }]);
    expect((await server.call("POST", `/api/issues/${issue.id}/squad-evaluated`, { outcome: "action", reason: "handed over" }, asLeader)).status).toBe(201);
    await server.post(`/api/daemon/tasks/${task?.id}/complete`, { output: "handed over" });

    const [work] = await server.claim([R]);
    expect(work).toMatchObject({ agent_id: worker, is_leader_task: false });
    expect(work).not.toHaveProperty("squad_id");
    await server.post(`/api/daemon/tasks/${work?.id}/start`);
    await server.post(`/api/daemon/tasks/${work?.id}/complete`, { output: "It is built." });
    const [back] = await server.claim([R]);
    expect(back).toMatchObject({ agent_id: leader, is_leader_task: true, kind: "comment", trigger_comment_content: "It is built.", trigger_author_name: "Worker" });
  });

  it("is who a plain comment, a mention of the squad and a rerun start", async () => {
    const { server, R, leader, worker, S } = await world();
    const issue = await assign(server, S, { status: "backlog" });
    expect(await server.claim([R])).toEqual([]);
    await server.put(`/api/issues/${issue.id}`, { status: "todo" });
    const finish = async () => {
      const [task] = await server.claim([R]);
      await server.post(`/api/daemon/tasks/${task?.id}/start`);
      await server.post(`/api/daemon/tasks/${task?.id}/complete`, { output: "" });
      return task;
    };
    expect(await finish()).toMatchObject({ agent_id: leader, is_leader_task: true });
    const plain = await server.post(`/api/issues/${issue.id}/comments`, { content: "and now?" });
    expect(plain["trigger_outcomes"]).toMatchObject([{ target_id: leader, status: "queued" }]);
    expect(await finish()).toMatchObject({ agent_id: leader, is_leader_task: true, squad_id: S });
    await server.post(`/api/issues/${issue.id}/rerun`);
    expect(await finish()).toMatchObject({ agent_id: leader, squad_id: S });
    const other = await server.issue(worker, "elsewhere");
    expect(await finish()).toMatchObject({ agent_id: worker });
    await server.post(`/api/issues/${other}/comments`, { content: `[@Core](mention://squad/${S}) look` });
    expect(await finish()).toMatchObject({ agent_id: leader, squad_id: S, is_leader_task: true });
    const gone = await server.post(`/api/issues/${other}/comments`, { content: `[@X](mention://squad/${uuid()}) look` });
    expect(gone).not.toHaveProperty("trigger_outcomes");
  });

  it("writes no comment once it has recorded that nothing is to be done", async () => {
    const { server, R, worker, S } = await world();
    const issue = await assign(server, S);
    const [task] = await server.claim([R]);
    await server.post(`/api/daemon/tasks/${task?.id}/start`);
    const asLeader = { token: task?.auth_token ?? "" };
    const path = `/api/issues/${issue.id}/squad-evaluated`;
    const odd = await server.call("POST", path, { outcome: "maybe" }, asLeader);
    expect([odd.status, odd.body]).toEqual([400, { error: "outcome must be 'action', 'no_action', or 'failed'" }]);
    const human = await server.call("POST", path, { outcome: "action" });
    expect([human.status, human.body]).toEqual([403, { error: "only the squad leader agent can record evaluations" }]);
    const other = await server.issue(worker, "elsewhere");
    const unassigned = await server.call("POST", `/api/issues/${String((await server.post("/api/issues", { title: "plain" }))["id"])}/squad-evaluated`, { outcome: "action" });
    expect([unassigned.status, unassigned.body]).toEqual([400, { error: "issue is not assigned to a squad" }]);
    const foreign = await server.call("POST", `/api/issues/${other}/squad-evaluated`, { outcome: "action" }, asLeader);
    expect([foreign.status, foreign.body]).toEqual([400, { error: "task does not belong to issue" }]);
    const recorded = await server.call("POST", path, { outcome: "no_action", reason: "done already" }, asLeader);
    expect([recorded.status, recorded.body]).toMatchObject([201, { action: "squad_leader_evaluated" }]);
    const comment = await server.call("POST", `/api/issues/${issue.id}/comments`, { content: "nothing to do" }, asLeader);
    expect([comment.status, comment.body]).toEqual([409, { error: "squad leader recorded no_action; comments are not allowed for this task" }]);
    await server.post(`/api/daemon/tasks/${task?.id}/complete`, { output: "nothing to do" });
    expect(await server.get(`/api/issues/${issue.id}/comments`)).toEqual([]);
    expect(JSON.stringify(await server.get(`/api/issues/${issue.id}/timeline`))).toContain("done already");
  });
});

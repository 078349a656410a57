import { describe, expect, it } from "vitest";
import { liveServer } from "../../support/live-server.ts";

describe("trace 3: a follow-up comment", () => {
  it("starts one run that continues the session, takes further comments in, and keeps the agent in its thread", async () => {
    const server = await liveServer();
    const R = await server.register();
    const socket = await server.connect([R]);
    const I = await server.issue(await server.agent(R));
    const [first] = await server.claim([R]);
    await server.post(`/api/daemon/tasks/${first?.id}/start`);
    await server.post(`/api/daemon/tasks/${first?.id}/complete`, { output: "first answer", session_id: "S", work_dir: "/w" });
    await server.clock.advance(1000);
    socket.frames.length = 0;

    const one = await server.post<{ id: string; trigger_outcomes: object[] }>(`/api/issues/${I}/comments`, { content: "and the tests?" });
    expect(one.trigger_outcomes).toMatchObject([{ target_type: "agent", status: "queued", reason_code: "queued" }]);
    await socket.next("daemon:task_available");
    await server.clock.advance(1000);
    const two = await server.post<{ id: string; trigger_outcomes: object[] }>(`/api/issues/${I}/comments`, { content: "and the docs?" });
    expect(two.trigger_outcomes).toMatchObject([{ status: "coalesced", reason_code: "coalesced" }]);
    const runs = await server.get<{ status: string }[]>(`/api/issues/${I}/task-runs`);
    expect(runs.map((run) => run.status)).toEqual(["queued", "completed"]);

    const [task] = await server.claim([R]);
    expect(task).toMatchObject({
      kind: "comment",
      issue_id: I,
      trigger_comment_id: two.id,
      trigger_comment_content: "and the docs?",
      coalesced_comments: [{ id: one.id, content: "and the tests?" }],
      prior_session_id: "S",
      prior_work_dir: "/w",
    });
    await server.post(`/api/daemon/tasks/${task?.id}/start`);
    const mat = { token: task?.auth_token ?? "" };
    const stray = await server.call("POST", `/api/issues/${I}/comments`, { content: "done" }, mat);
    expect(stray.status).toBe(409);
    expect(stray.text).toContain(two.id);
    for (const parent of [two.id, one.id]) {
      const reply = await server.call("POST", `/api/issues/${I}/comments`, { content: "done", parent_id: parent }, mat);
      expect([reply.status, reply.body["parent_id"]]).toEqual([201, parent]);
    }
    await server.post(`/api/daemon/tasks/${task?.id}/complete`, { output: "done", session_id: "S2", work_dir: "/w" });
    expect(await server.claim([R])).toEqual([]);
  });

  it("gives a comment during the run a run of its own, and one behind the claim as well", async () => {
    const server = await liveServer();
    const R = await server.register();
    const I = await server.issue(await server.agent(R));
    const [first] = await server.claim([R]);
    const comment = await server.post<{ trigger_outcomes: object[] }>(`/api/issues/${I}/comments`, { content: "wait" });
    expect(comment.trigger_outcomes).toMatchObject([{ status: "deferred", reason_code: "deferred" }]);
    await server.post(`/api/daemon/tasks/${first?.id}/start`);
    await server.post(`/api/issues/${I}/comments`, { content: "and then" });
    expect(await server.claim([R])).toEqual([]);
    await server.post(`/api/daemon/tasks/${first?.id}/complete`, { output: "x" });
    const next = await server.claim([R]);
    expect(next).toMatchObject([{ trigger_comment_content: "and then", coalesced_comments: [{ content: "wait" }] }]);
  });

  it("withdraws a run whose comment was deleted before it began", async () => {
    const server = await liveServer();
    const R = await server.register();
    const A = await server.agent(R);
    const I = (await server.post<{ id: string }>("/api/issues", { title: "Quiet" })).id;
    const comment = await server.post<{ id: string }>(`/api/issues/${I}/comments`, { content: `[@Dev](mention://agent/${A}) hi` });
    expect((await server.call("DELETE", `/api/comments/${comment.id}`)).status).toBe(204);
    expect(await server.claim([R])).toEqual([]);
    expect(await server.get(`/api/issues/${I}/task-runs`)).toMatchObject([{ status: "cancelled" }]);
  });
});

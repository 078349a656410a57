import { describe, expect, it } from "vitest";
import { liveServer } from "../../support/live-server.ts";

type Item = { id: string; type: string; read: boolean; title: string; issue_status: string };

describe("inbox", () => {
  it("tells a person what agents did on their issues, and nothing of what they did themselves", async () => {
    const server = await liveServer();
    const R = await server.register();
    const A = await server.agent(R);
    const me = String((await server.get("/api/me"))["id"]);
    const I = await server.issue(A);
    await server.post(`/api/issues/${I}/comments`, { content: "/note mine" });
    await server.put(`/api/issues/${I}`, { priority: "high", status: "in_review" });
    expect(await server.get("/api/inbox")).toEqual([]);
    const [task] = await server.claim([R]);
    await server.post(`/api/daemon/tasks/${task?.id}/start`);
    const agent = { token: task?.auth_token ?? "" };
    await server.put(`/api/issues/${I}`, { status: "in_progress" }, agent);
    await server.post(`/api/issues/${I}/comments`, { content: "a question" }, agent);
    await server.post(`/api/issues/${I}/comments`, { content: `[@me](mention://member/${me}) look` }, agent);
    await server.put(`/api/issues/${I}`, { assignee_type: "member", assignee_id: me }, agent);
    await server.post(`/api/daemon/tasks/${task?.id}/fail`, { error: "API Error: 429", failure_reason: "" });
    const items = await server.get<Item[]>("/api/inbox");
    expect(items.map((item) => item.type)).toEqual(["task_failed", "issue_assigned", "mentioned", "new_comment", "status_changed"]);
    expect(items[0]).toMatchObject({ title: "Fix it", issue_id: I, issue_status: "in_progress", read: false, recipient_id: me, actor_type: "agent", actor_id: A });
    expect(await server.get("/api/inbox/unread-count")).toEqual({ count: 5 });

    const [first, second] = items;
    expect(await server.post(`/api/inbox/${first?.id}/read`)).toMatchObject({ read: true });
    expect(await server.post(`/api/inbox/${first?.id}/unread`)).toMatchObject({ read: false });
    expect(await server.post(`/api/inbox/${second?.id}/archive`)).toMatchObject({ archived: true });
    expect(await server.get("/api/inbox/archived")).toMatchObject([{ id: second?.id }]);
    expect(await server.post(`/api/inbox/${second?.id}/unarchive`)).toMatchObject({ archived: false });
    expect(await server.post("/api/inbox/mark-all-read")).toEqual({ count: 4 });
    expect(await server.get("/api/inbox/unread-count")).toEqual({ count: 0 });
    expect(await server.post("/api/inbox/archive-completed")).toEqual({ count: 0 });
    await server.put(`/api/issues/${I}`, { status: "done" });
    expect(await server.post("/api/inbox/archive-completed")).toEqual({ count: 5 });
    expect(await server.get("/api/inbox")).toEqual([]);
    const gone = await server.call("POST", `/api/inbox/${A}/read`);
    expect([gone.status, gone.body]).toEqual([404, { error: "inbox item not found" }]);
  });

  it("is not for agents", async () => {
    const server = await liveServer();
    const R = await server.register();
    await server.issue(await server.agent(R));
    const [task] = await server.claim([R]);
    for (const [method, path] of [["GET", "/api/inbox"], ["POST", "/api/inbox/mark-all-read"]] as const) {
      expect((await server.call(method, path, method === "POST" ? {} : undefined, { token: task?.auth_token ?? "" })).status).toBe(403);
    }
  });
});

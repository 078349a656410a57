import { describe, expect, it } from "vitest";
import { liveServer } from "../../support/live-server.ts";
import { uuid } from "../../../src/lib/core/index.ts";

describe("many issues at once", () => {
  it("are changed and deleted together or not at all", async () => {
    const server = await liveServer();
    const R = await server.register();
    const A = await server.agent(R);
    const ids: string[] = [];
    for (const title of ["a", "b", "c"]) ids.push(String((await server.post("/api/issues", { title, status: "backlog" }))["id"]));
    const [a = "", b = "", c = ""] = ids;
    expect(await server.post("/api/issues/batch-update", { issue_ids: [a, b], updates: { status: "todo", assignee_type: "agent", assignee_id: A } })).toEqual({ updated: 2 });
    expect(await server.claim([R])).toHaveLength(2);
    const half = await server.call("POST", "/api/issues/batch-update", { issue_ids: [c, uuid()], updates: { priority: "high" } });
    expect([half.status, half.body]).toEqual([404, { error: "issue not found" }]);
    expect(await server.get(`/api/issues/${c}`)).toMatchObject({ priority: "none" });
    for (const issue_ids of [[], [a, a]]) expect((await server.call("POST", "/api/issues/batch-delete", { issue_ids })).status).toBe(400);
    expect(await server.post("/api/issues/batch-delete", { issue_ids: [a, c] })).toEqual({ deleted: 2 });
    expect((await server.get<{ issues: { id: string }[] }>("/api/issues")).issues.map((one) => one.id)).toEqual([b]);
    expect(await server.get(`/api/issues/${b}/pull-requests`)).toEqual({ pull_requests: [] });
  });
});

describe("a settled thread", () => {
  it("is resolved, folded, and opened again", async () => {
    const server = await liveServer();
    const I = String((await server.post("/api/issues", { title: "x" }))["id"]);
    const root = await server.post<{ id: string }>(`/api/issues/${I}/comments`, { content: "question" });
    await server.post(`/api/issues/${I}/comments`, { content: "answer", parent_id: root.id });
    const resolved = await server.post(`/api/comments/${root.id}/resolve`);
    expect(resolved).toMatchObject({ resolved_by_type: "member", revision: 2 });
    expect(await server.post(`/api/comments/${root.id}/resolve`)).toEqual(resolved);
    expect(await server.get(`/api/issues/${I}/comments?fold=true`)).toMatchObject([{ id: root.id, thread_resolved: true, folded_count: 1 }]);
    expect((await server.call("DELETE", `/api/comments/${root.id}/resolve`)).body).toMatchObject({ resolved_at: null, resolved_by_id: null });
    expect(await server.get(`/api/issues/${I}/comments?fold=true`)).toHaveLength(2);
    expect((await server.call("POST", `/api/comments/${uuid()}/resolve`)).body).toEqual({ error: "comment not found" });
  });
});

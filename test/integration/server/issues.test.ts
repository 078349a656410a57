import { describe, expect, it } from "vitest";
import { uuid } from "../../../src/lib/core/index.ts";
import { type TestServer, testServer } from "../../support/server.ts";

async function refusal(server: TestServer, input: Record<string, unknown>, path = "/api/issues", method = "POST"): Promise<unknown[]> {
  const reply = await server.call(method, path, input);
  return [reply.status, reply.body["error"]];
}

describe("creating an issue (server-api.md 13.3.3)", () => {
  it("numbers issues per workspace, with defaults, and never twice", async () => {
    const server = await testServer();
    const first = await server.ok("POST", "/api/issues", { title: " One " });
    expect(first).toMatchObject({
      identifier: "LOCA-1",
      title: "One",
      status: "todo",
      priority: "none",
      creator_type: "member",
      creator_id: server.userId,
      assignee_type: null,
      revision: 1,
      labels: [],
    });
    expect((await server.call("DELETE", "/api/issues/LOCA-1")).status).toBe(204);
    expect((await server.ok("POST", "/api/issues", { title: "Two" }))["identifier"]).toBe("LOCA-2");
    const many = await Promise.all(Array.from({ length: 12 }, (_, index) => server.ok("POST", "/api/issues", { title: `many ${index}` })));
    expect(new Set(many.map((issue) => issue["number"])).size).toBe(12);
  });

  it("says what is wrong with the input", async () => {
    const server = await testServer();
    const agent = await server.agent();
    await server.ok("POST", `/api/agents/${agent.id}/archive`);
    const title = "x";
    const statuses = "backlog, todo, in_progress, in_review, done, blocked, cancelled";
    const cases: [Record<string, unknown>, string][] = [
      [{}, "title is required"],
      [{ title: "  " }, "title is required"],
      [{ title, status: "open" }, `invalid status "open"; valid values: ${statuses}`],
      [{ title, priority: "p1" }, 'invalid priority "p1"; valid values: urgent, high, medium, low, none'],
      [{ title, assignee_id: uuid() }, "assignee_type and assignee_id must be provided together"],
      [{ title, assignee_type: "agent" }, "assignee_type and assignee_id must be provided together"],
      [{ title, assignee_type: "member", assignee_id: uuid() }, "assignee_id does not refer to a member of this workspace"],
      [{ title, assignee_type: "agent", assignee_id: uuid() }, "assignee_id does not refer to an agent of this workspace"],
      [{ title, assignee_type: "squad", assignee_id: uuid() }, "assignee_id does not refer to a squad in this workspace"],
      [{ title, assignee_type: "agent", assignee_id: agent.id }, "cannot assign to archived agent"],
      [{ title, parent_issue_id: uuid() }, "parent issue not found in this workspace"],
      [{ title, project_id: uuid() }, "project not found in this workspace"],
      [{ title, label_ids: [uuid()] }, "one or more labels not found in this workspace"],
      [{ title, stage: 0 }, "stage must be >= 1"],
      [{ title, start_date: "tomorrow" }, "invalid start_date format, expected YYYY-MM-DD"],
      [{ title, due_date: "2026-02-30" }, "invalid due_date format, expected YYYY-MM-DD"],
      [{ title, origin_type: "quick_create" }, "origin_type and origin_id must be provided together"],
      [{ title, origin_type: "magic", origin_id: uuid() }, "unsupported origin_type"],
    ];
    for (const [input, text] of cases) expect(await refusal(server, input)).toEqual([400, text]);
    expect((await server.call("GET", "/api/issues")).body["total"]).toBe(0);
  });

  it("refuses a second active issue of the same title, and takes one when told to or when the first is closed", async () => {
    const server = await testServer();
    const first = await server.ok("POST", "/api/issues", { title: "Fix  the build" });
    const again = await server.call("POST", "/api/issues", { title: "fix the BUILD" });
    expect([again.status, again.body["code"]]).toEqual([409, "active_duplicate_issue"]);
    expect(again.body["error"]).toContain("LOCA-1");
    expect(again.body["issue"]).toMatchObject({ id: first["id"], identifier: "LOCA-1" });
    await server.ok("POST", "/api/issues", { title: "fix the build", allow_duplicate: true });
    await server.ok("POST", "/api/issues", { title: "fix the build", parent_issue_id: "LOCA-1" });
    for (const id of ["LOCA-1", "LOCA-2"]) await server.ok("PUT", `/api/issues/${id}`, { status: "done" });
    expect((await server.call("POST", "/api/issues", { title: "fix the build" })).status).toBe(201);
  });

  it("refuses work for an agent that the caller may not start", async () => {
    const server = await testServer();
    const owner = await server.agent("Mine", { visibility: "private" });
    expect((await server.call("POST", "/api/issues", { title: "a", assignee_type: "agent", assignee_id: owner.id })).status).toBe(201);
    const other = await server.agent("Other");
    const task = await server.startedIssue(other, "by agent");
    // The chain began with the owner, who may start the private agent: so may the agent for them.
    const made = await server.call("POST", "/api/issues", { title: "b", assignee_type: "agent", assignee_id: owner.id }, { token: task.token });
    expect(made.status).toBe(201);
  });
});

describe("reading and changing an issue (server-api.md 13.3.4)", () => {
  it("finds it by id and by identifier in any case", async () => {
    const server = await testServer();
    const issue = await server.ok("POST", "/api/issues", { title: "One" });
    for (const ref of [String(issue["id"]), "LOCA-1", "loca-1"]) expect((await server.ok("GET", `/api/issues/${ref}`))["id"]).toBe(issue["id"]);
    for (const ref of [uuid(), "LOCA-2", "OTHER-1", "x"]) {
      expect((await server.call("GET", `/api/issues/${ref}`)).text).toBe('{"error":"issue not found"}\n');
    }
  });

  it("changes what is given, clears what is null, and leaves the rest", async () => {
    const server = await testServer();
    await server.ok("POST", "/api/issues", { title: "One", description: "text", due_date: "2026-03-01", stage: 2 });
    const changed = await server.ok("PUT", "/api/issues/LOCA-1", { description: null, due_date: null, status: "in_progress" });
    expect(changed).toMatchObject({ title: "One", description: null, due_date: null, stage: 2, status: "in_progress", revision: 2 });
    expect((await server.ok("PUT", "/api/issues/LOCA-1", { status: "in_progress" }))["revision"]).toBe(2);
    const assigned = await server.ok("PUT", "/api/issues/LOCA-1", { assignee_type: "member", assignee_id: server.userId });
    expect(assigned["assignee_id"]).toBe(server.userId);
    expect(await server.ok("PUT", "/api/issues/LOCA-1", { assignee_id: null })).toMatchObject({ assignee_type: null, assignee_id: null });
  });

  it("refuses a change that was made on an older state", async () => {
    const server = await testServer();
    const issue = await server.ok("POST", "/api/issues", { title: "One", description: "a" });
    await server.ok("PUT", "/api/issues/LOCA-1", { title: "Two" });
    const stale = await server.call("PUT", "/api/issues/LOCA-1", { title: "Three", expected_revision: 1 });
    expect([stale.status, stale.body]).toEqual([
      409,
      {
        error: "resource changed since it was loaded",
        code: "revision_conflict",
        resource_type: "issue",
        resource_id: issue["id"],
        expected_revision: 1,
        actual_revision: 2,
      },
    ]);
    const field = await server.call("PUT", "/api/issues/LOCA-1", { title: "Three", title_base: "One" });
    expect([field.status, field.body["code"]]).toEqual([409, "edit_conflict"]);
    expect((await server.ok("PUT", "/api/issues/LOCA-1", { title: "Three", title_base: "Two" }))["title"]).toBe("Three");
  });

  it("refuses a loop of parents", async () => {
    const server = await testServer();
    await server.ok("POST", "/api/issues", { title: "a" });
    await server.ok("POST", "/api/issues", { title: "b", parent_issue_id: "LOCA-1" });
    await server.ok("POST", "/api/issues", { title: "c", parent_issue_id: "LOCA-2" });
    expect(await refusal(server, { parent_issue_id: "LOCA-1" }, "/api/issues/LOCA-1", "PUT")).toEqual([400, "an issue cannot be its own parent"]);
    expect(await refusal(server, { parent_issue_id: "LOCA-3" }, "/api/issues/LOCA-1", "PUT")).toEqual([400, "circular parent relationship detected"]);
    const children = (await server.ok("GET", "/api/issues/LOCA-1/children"))["issues"] as Record<string, unknown>[];
    expect(children.map((issue) => issue["identifier"])).toEqual(["LOCA-2"]);
  });

  it("starts the assignee it is given, once, unless told not to", async () => {
    const server = await testServer();
    const agent = await server.agent();
    const assignee = { assignee_type: "agent", assignee_id: agent.id };
    const runs = async (ref: string): Promise<number> => (await server.call("GET", `/api/issues/${ref}/task-runs`)).list.length;
    await server.ok("POST", "/api/issues", { title: "a", ...assignee });
    await server.ok("POST", "/api/issues", { title: "b", status: "backlog", ...assignee });
    await server.ok("POST", "/api/issues", { title: "c" });
    expect([await runs("LOCA-1"), await runs("LOCA-2"), await runs("LOCA-3")]).toEqual([1, 0, 0]);
    await server.ok("PUT", "/api/issues/LOCA-2", { status: "todo" });
    await server.ok("PUT", "/api/issues/LOCA-3", { ...assignee, suppress_run: true });
    expect([await runs("LOCA-2"), await runs("LOCA-3")]).toEqual([1, 0]);
    await server.ok("PUT", "/api/issues/LOCA-2", { status: "in_progress" });
    await server.ok("PUT", "/api/issues/LOCA-2", assignee);
    expect(await runs("LOCA-2")).toBe(1);
  });
});

describe("tasks of an issue (server-api.md 13.6)", () => {
  it("shows active tasks and runs, and cancels a task as often as one asks", async () => {
    const server = await testServer();
    const task = await server.startedIssue(await server.agent());
    const active = (await server.ok("GET", "/api/issues/LOCA-1/active-task"))["tasks"] as Record<string, unknown>[];
    expect(active.map((row) => [row["id"], row["status"]])).toEqual([[task.taskId, "running"]]);
    for (let round = 0; round < 2; round += 1) {
      const row = await server.ok("POST", `/api/issues/LOCA-1/tasks/${task.taskId}/cancel`, {});
      expect([row["id"], row["status"]]).toEqual([task.taskId, "cancelled"]);
    }
    expect((await server.ok("POST", `/api/tasks/${task.taskId}/cancel`))["status"]).toBe("cancelled");
    expect((await server.call("POST", `/api/tasks/${uuid()}/cancel`)).body["error"]).toBe("task not found");
    const again = await server.call("POST", "/api/issues/LOCA-1/rerun", {});
    expect([again.status, again.body["status"]]).toEqual([202, "queued"]);
    expect((await server.call("GET", "/api/issues/LOCA-1/task-runs")).list.map((row) => row["status"])).toEqual(["queued", "cancelled"]);
  });

  it("serves the messages of a run from a number on", async () => {
    const server = await testServer();
    const task = await server.startedIssue(await server.agent());
    const messages = [1, 2, 3].map((seq) => ({ seq, type: "text", content: `line ${seq}` }));
    await server.ok("POST", `/api/daemon/tasks/${task.taskId}/messages`, { messages });
    const read = (await server.call("GET", `/api/tasks/${task.taskId}/messages?since=1`)).list;
    expect(read.map((message) => [message["seq"], message["content"], message["issue_id"]])).toEqual([
      [2, "line 2", task.id],
      [3, "line 3", task.id],
    ]);
    expect((await server.call("GET", `/api/tasks/${task.taskId}/messages?since=x`)).body["error"]).toBe("invalid since");
  });

  it("says why there is nothing to run again", async () => {
    const server = await testServer();
    await server.ok("POST", "/api/issues", { title: "a" });
    const reply = await server.call("POST", "/api/issues/LOCA-1/rerun", {});
    expect([reply.status, String(reply.body["error"])]).toEqual([400, expect.stringContaining("no agent")]);
  });
});

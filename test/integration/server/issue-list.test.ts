import { describe, expect, it } from "vitest";
import { type TestServer, testServer } from "../../support/server.ts";

async function titles(server: TestServer, query: string): Promise<unknown[]> {
  const reply = await server.call("GET", `/api/issues?${query}`);
  if (reply.status !== 200) return [reply.status, reply.body["error"]];
  return (reply.body["issues"] as { title: string }[]).map((issue) => issue.title);
}

async function seeded(): Promise<TestServer> {
  const server = await testServer();
  const make = (input: Record<string, unknown>) => server.ok("POST", "/api/issues", input);
  await make({ title: "alpha", priority: "low", status: "done", due_date: "2026-01-10" });
  await make({ title: "Beta", priority: "urgent", assignee_type: "member", assignee_id: server.userId, description: "needle" });
  await make({ title: "gamma", priority: "high", status: "in_progress", due_date: "2026-02-10", parent_issue_id: "LOCA-2" });
  return server;
}

describe("the issue list (server-api.md 13.3.1)", () => {
  it("filters by status, priority, assignee, parent, text and dates", async () => {
    const server = await seeded();
    expect(await titles(server, "")).toEqual(["alpha", "Beta", "gamma"]);
    expect(await titles(server, "status=todo")).toEqual(["Beta"]);
    expect(await titles(server, "statuses=todo,done")).toEqual(["alpha", "Beta"]);
    expect(await titles(server, "priorities=urgent,high")).toEqual(["Beta", "gamma"]);
    expect(await titles(server, `assignee_id=${server.userId}`)).toEqual(["Beta"]);
    expect(await titles(server, `assignee_filters=member:${server.userId}&include_no_assignee=true`)).toEqual(["alpha", "Beta", "gamma"]);
    expect(await titles(server, "include_no_assignee=true")).toEqual(["alpha", "gamma"]);
    expect(await titles(server, "top_level_only=true")).toEqual(["alpha", "Beta"]);
    expect(await titles(server, "open_only=true")).toEqual(["Beta", "gamma"]);
    expect(await titles(server, "q=NEEDLE")).toEqual(["Beta"]);
    expect(await titles(server, "scheduled=true")).toEqual(["alpha", "gamma"]);
    expect(await titles(server, "date_field=due_date&date_start=2026-02-01&date_end=2026-02-28")).toEqual(["gamma"]);
  });

  it("filters by metadata and labels", async () => {
    const server = await seeded();
    await server.ok("PUT", "/api/issues/LOCA-1/metadata/tier", { value: 1 });
    await server.ok("PUT", "/api/issues/LOCA-2/metadata/tier", { value: "1" });
    expect(await titles(server, `metadata=${encodeURIComponent('{"tier":1}')}`)).toEqual(["alpha"]);
    const label = await server.ok("POST", "/api/labels", { name: "bug", color: "#ff0000" });
    await server.ok("POST", "/api/issues/LOCA-3/labels", { label_id: label["id"] });
    expect(await titles(server, `label_ids=${String(label["id"])}`)).toEqual(["gamma"]);
  });

  it("sorts and pages, and counts everything", async () => {
    const server = await seeded();
    expect(await titles(server, "sort=title")).toEqual(["alpha", "Beta", "gamma"]);
    expect(await titles(server, "sort=priority")).toEqual(["Beta", "gamma", "alpha"]);
    expect(await titles(server, "sort=due_date&direction=desc")).toEqual(["gamma", "alpha", "Beta"]);
    expect(await titles(server, "limit=1&offset=1")).toEqual(["Beta"]);
    expect((await server.call("GET", "/api/issues?limit=1")).body["total"]).toBe(3);
  });

  it("refuses parameters it cannot read", async () => {
    const server = await seeded();
    expect(await titles(server, "sort=colour")).toEqual([400, "invalid sort value"]);
    expect(await titles(server, "direction=up")).toEqual([400, "invalid direction value"]);
    expect(await titles(server, "status=open")).toEqual([400, "invalid status"]);
    expect(await titles(server, "limit=-1")).toEqual([400, "invalid limit"]);
    expect(await titles(server, "metadata=7")).toEqual([400, "invalid metadata"]);
    expect((await titles(server, "date_field=due_date"))[0]).toBe(400);
  });
});

describe("the issue search (server-api.md 13.3.2)", () => {
  it("finds numbers first, then titles, descriptions and comments, open issues unless told otherwise", async () => {
    const server = await seeded();
    await server.ok("POST", "/api/issues/LOCA-3/comments", { content: "a needle in the comments" });
    const search = async (query: string): Promise<unknown[]> => {
      const reply = await server.call("GET", `/api/issues/search?${query}`);
      expect(reply.headers.get("x-total-count")).toBe(String(reply.body["total"]));
      return (reply.body["issues"] as Record<string, unknown>[]).map((issue) => [issue["identifier"], issue["match_source"]]);
    };
    expect(await search("q=needle")).toEqual([
      ["LOCA-2", "description"],
      ["LOCA-3", "comment"],
    ]);
    expect(await search("q=loca-1")).toEqual([["LOCA-1", "identifier"]]);
    expect(await search("q=3")).toEqual([["LOCA-3", "identifier"]]);
    expect(await search("q=alpha")).toEqual([]);
    expect(await search("q=alpha&include_closed=true")).toEqual([["LOCA-1", "title"]]);
    expect((await server.call("GET", "/api/issues/search")).body["error"]).toBe("q parameter is required");
  });
});

describe("what hangs on an issue (server-api.md 13.3.5, 13.4)", () => {
  it("keeps metadata within its limits", async () => {
    const server = await seeded();
    const put = (key: string, value: unknown) => server.call("PUT", `/api/issues/LOCA-1/metadata/${key}`, { value });
    expect((await put("a", true)).body).toMatchObject({ metadata: { a: true } });
    expect((await put("b.c-d_1", "x")).status).toBe(200);
    for (const value of [null, {}, [1]]) expect((await put("a", value)).status).toBe(400);
    expect((await put("1a", 1)).body["error"]).toBe("invalid metadata key");
    expect((await put("big", "x".repeat(9000))).status).toBe(400);
    const gone = await server.call("DELETE", "/api/issues/LOCA-1/metadata/a");
    expect(gone.body["metadata"]).toEqual({ "b.c-d_1": "x" });
    for (let index = 0; index < 49; index += 1) await put(`k${index}`, index);
    expect((await put("one_too_many", 1)).status).toBe(400);
  });

  it("keeps labels unique and attaches them once", async () => {
    const server = await seeded();
    const label = await server.ok("POST", "/api/labels", { name: "bug", color: "ff0000" });
    expect((await server.call("POST", "/api/labels", { name: "bug", color: "00ff00" })).status).toBe(409);
    expect((await server.call("POST", "/api/labels", { name: "x", color: "red" })).status).toBe(400);
    for (let round = 0; round < 2; round += 1) await server.ok("POST", "/api/issues/LOCA-1/labels", { label_id: label["id"] });
    const attached = (await server.ok("GET", "/api/issues/LOCA-1/labels"))["labels"] as Record<string, unknown>[];
    expect(attached.map((one) => [one["name"], one["usage_count"]])).toEqual([["bug", 1]]);
    expect((await server.call("DELETE", `/api/labels/${String(label["id"])}`)).status).toBe(204);
    expect((await server.ok("GET", "/api/issues/LOCA-1"))["labels"]).toEqual([]);
  });

  it("subscribes creator, assignee and commenter, and whoever asks", async () => {
    const server = await seeded();
    const agent = await server.agent();
    await server.ok("PUT", "/api/issues/LOCA-1", { assignee_type: "agent", assignee_id: agent.id, suppress_run: true });
    const who = async (): Promise<unknown[]> =>
      (await server.call("GET", "/api/issues/LOCA-1/subscribers")).list.map((row) => [row["user_type"], row["reason"]]);
    expect(await who()).toEqual([
      ["member", "creator"],
      ["agent", "assignee"],
    ]);
    expect(await server.ok("POST", "/api/issues/LOCA-1/unsubscribe", {})).toEqual({ subscribed: false });
    expect(await who()).toEqual([["agent", "assignee"]]);
    expect(await server.ok("POST", "/api/issues/LOCA-1/subscribe", {})).toEqual({ subscribed: true });
    expect((await who()).length).toBe(2);
  });

  it("tells its story in order", async () => {
    const server = await seeded();
    await server.ok("PUT", "/api/issues/LOCA-2", { status: "in_progress" });
    await server.ok("POST", "/api/issues/LOCA-2/comments", { content: "hello" });
    const timeline = (await server.call("GET", "/api/issues/LOCA-2/timeline")).list;
    expect(timeline.map((entry) => entry["action"] ?? entry["content"])).toEqual(["created", "status_changed", "hello"]);
    expect(timeline[1]?.["details"]).toEqual({ from: "todo", to: "in_progress" });
  });
});

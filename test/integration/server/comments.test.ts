import { describe, expect, it } from "vitest";
import { uuid } from "../../../src/lib/core/index.ts";
import { HeldClock } from "../../../src/lib/platform/index.ts";
import { type TestServer, testServer } from "../../support/server.ts";

async function say(server: TestServer, content: string, parentId?: unknown): Promise<string> {
  const body = { content, ...(parentId === undefined ? {} : { parent_id: parentId }) };
  return String((await server.ok("POST", "/api/issues/LOCA-1/comments", body))["id"]);
}

async function read(server: TestServer, query = ""): Promise<unknown[]> {
  const reply = await server.call("GET", `/api/issues/LOCA-1/comments?${query}`);
  if (reply.status !== 200) return [reply.status, reply.body["error"]];
  return reply.list.map((comment) => comment["content"]);
}

/** Three threads, one comment a second: a (a1, a2, a3), b, c (c1). */
async function threads(): Promise<{ server: TestServer; ids: Record<string, string>; clock: HeldClock }> {
  const clock = new HeldClock();
  const server = await testServer({ clock });
  await server.ok("POST", "/api/issues", { title: "One" });
  const ids: Record<string, string> = {};
  for (const [name, parent] of [["a"], ["a1", "a"], ["b"], ["a2", "a1"], ["c"], ["c1", "c"], ["a3", "a"]] as const) {
    await clock.advance(1000);
    ids[name] = await say(server, name, parent === undefined ? undefined : ids[parent]);
  }
  return { server, ids, clock };
}

describe("listing comments (server-api.md 13.5.1)", () => {
  it("gives all of them in order, a thread, its tail, or the roots", async () => {
    const { server, ids } = await threads();
    expect(await read(server)).toEqual(["a", "a1", "b", "a2", "c", "c1", "a3"]);
    expect(await read(server, `thread=${ids["a2"] ?? ""}`)).toEqual(["a", "a1", "a2", "a3"]);
    expect(await read(server, `thread=${ids["a"] ?? ""}&tail=1`)).toEqual(["a", "a3"]);
    const roots = (await server.call("GET", "/api/issues/LOCA-1/comments?roots_only=true")).list;
    expect(roots.map((root) => [root["content"], root["reply_count"]])).toEqual([
      ["a", 3],
      ["b", 0],
      ["c", 1],
    ]);
  });

  it("pages through the tail of a thread and through recent threads", async () => {
    const { server, ids } = await threads();
    const page = async (query: string): Promise<[unknown[], string]> => {
      const reply = await server.call("GET", `/api/issues/LOCA-1/comments?${query}`);
      const before = reply.headers.get("x-multica-next-before");
      const id = reply.headers.get("x-multica-next-before-id");
      return [reply.list.map((comment) => comment["content"]), before === null ? "" : `&before=${encodeURIComponent(before)}&before_id=${id ?? ""}`];
    };
    const thread = `thread=${ids["a"] ?? ""}&tail=2`;
    const [newest, next] = await page(thread);
    expect(newest).toEqual(["a", "a2", "a3"]);
    expect(await page(thread + next)).toEqual([["a", "a1"], ""]);
    const [recent, older] = await page("recent=2");
    expect(recent).toEqual(["a", "a1", "a2", "c", "c1", "a3"]);
    expect(await page(`recent=2${older}`)).toEqual([["b"], ""]);
  });

  it("gives what came after a time, and cuts long contents in a summary", async () => {
    const { server, ids, clock } = await threads();
    const since = new Date(clock.now() - 1000).toISOString();
    expect(await read(server, `since=${since}`)).toEqual(["a3"]);
    await say(server, "x".repeat(300), ids["b"]);
    const summary = (await server.call("GET", "/api/issues/LOCA-1/comments?summary=true")).list;
    expect(summary.map((comment) => [String(comment["content"]).length, comment["content_truncated"]]).at(-1)).toEqual([200, true]);
  });

  it("refuses combinations that mean nothing", async () => {
    const { server, ids } = await threads();
    const a = ids["a"] ?? "";
    const queries = [
      `thread=${a}&recent=1`,
      "tail=1",
      "recent=1&before=2026-01-01T00:00:00Z",
      `before=2026-01-01T00:00:00Z&before_id=${a}`,
      "roots_only=true&recent=1",
      "fold=true&roots_only=true",
      "since=yesterday",
      "recent=0",
      "thread=x",
      `thread=${uuid()}`,
    ];
    for (const query of queries) expect([query, (await read(server, query))[0]]).toEqual([query, 400]);
  });
});

describe("writing comments (server-api.md 13.5.2)", () => {
  it("refuses empty contents, unknown parents and unknown types", async () => {
    const server = await testServer();
    await server.ok("POST", "/api/issues", { title: "One" });
    await server.ok("POST", "/api/issues", { title: "Two" });
    const elsewhere = await say(server, "here");
    const post = async (issue: string, body: object): Promise<unknown[]> => {
      const reply = await server.call("POST", `/api/issues/${issue}/comments`, body);
      return [reply.status, reply.body["error"]];
    };
    expect(await post("LOCA-1", { content: " " })).toEqual([400, "content is required"]);
    expect(await post("LOCA-1", {})).toEqual([400, "content is required"]);
    expect(await post("LOCA-2", { content: "x", parent_id: elsewhere })).toEqual([400, "parent comment not found on this issue"]);
    expect((await post("LOCA-1", { content: "x", type: "shout" }))[0]).toBe(400);
    expect(await post("LOCA-9", { content: "x" })).toEqual([404, "issue not found"]);
  });

  it("lets authors and managers change and delete, and agents their own only", async () => {
    const server = await testServer();
    const agent = await server.agent();
    const task = await server.startedIssue(agent);
    const human = await say(server, "/note from a person");
    const own = await server.ok("POST", "/api/issues/LOCA-1/comments", { content: "mine" }, { token: task.token });
    const refused = await server.call("PUT", `/api/comments/${human}`, { content: "x" }, { token: task.token });
    expect([refused.status, refused.body["error"]]).toEqual([403, "insufficient permissions"]);
    expect((await server.call("DELETE", `/api/comments/${human}`, undefined, { token: task.token })).status).toBe(403);
    const edited = await server.ok("PUT", `/api/comments/${String(own["id"])}`, { content: "better" }, { token: task.token });
    expect(edited).toMatchObject({ content: "better", revision: 2 });
    expect((await server.call("DELETE", `/api/comments/${String(own["id"])}`)).status).toBe(204);
    expect((await server.call("DELETE", `/api/comments/${String(own["id"])}`)).body["error"]).toBe("comment not found");
  });

  it("keeps an agent in the thread it was started from, and names the comment", async () => {
    const server = await testServer();
    const agent = await server.agent();
    const first = await server.startedIssue(agent);
    await server.ok("POST", `/api/daemon/tasks/${first.taskId}/complete`, { output: "done" });
    const asked = await say(server, "and now this, please");
    const task = await server.claim(agent.runtimeId);
    const outside = await server.call("POST", "/api/issues/LOCA-1/comments", { content: "answer" }, { token: task.token });
    expect([outside.status, String(outside.body["error"])]).toEqual([409, expect.stringContaining(asked)]);
    const inside = await server.call("POST", "/api/issues/LOCA-1/comments", { content: "answer", parent_id: asked }, { token: task.token });
    expect(inside.status).toBe(201);
    await server.ok("POST", "/api/issues", { title: "Elsewhere" });
    expect((await server.call("POST", "/api/issues/LOCA-2/comments", { content: "free" }, { token: task.token })).status).toBe(201);
  });

  it("says whom a comment started, and takes the start back with the comment", async () => {
    const server = await testServer();
    const agent = await server.agent();
    await server.ok("POST", "/api/issues", { title: "One", assignee_type: "agent", assignee_id: agent.id, status: "backlog" });
    const made = await server.ok("POST", "/api/issues/LOCA-1/comments", { content: "go" });
    expect(made["trigger_outcomes"]).toEqual([{ target_type: "agent", target_id: agent.id, status: "queued", reason_code: "queued" }]);
    const quiet = await server.ok("POST", "/api/issues/LOCA-1/comments", { content: "go", suppress_agent_ids: [agent.id] });
    expect(quiet["trigger_outcomes"]).toBeUndefined();
    await server.call("DELETE", `/api/comments/${String(made["id"])}`);
    expect((await server.call("GET", "/api/issues/LOCA-1/task-runs")).list.map((row) => row["status"])).toEqual(["cancelled"]);
  });

  it("deletes a comment with its replies", async () => {
    const { server, ids } = await threads();
    await server.call("DELETE", `/api/comments/${ids["a"] ?? ""}`);
    expect(await read(server)).toEqual(["b", "c", "c1"]);
  });
});

import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openDatabase } from "../../../src/lib/platform/index.ts";
import { type LiveServer, liveServer } from "../../support/live-server.ts";
import { uuid } from "../../../src/lib/core/index.ts";

type Message = { id: string; role: string; content: string; task_id: string; failure_reason: string | null; message_kind: string; elapsed_ms: number | null };

async function world(input: object = {}) {
  const server = await liveServer();
  const R = await server.register();
  const A = await server.agent(R);
  const S = String((await server.post("/api/chat/sessions", { agent_id: A, title: "Help", ...input }))["id"]);
  return { server, R, A, S };
}

const say = (server: LiveServer, S: string, content: string, more: object = {}) => server.post<{ message_id: string; task_id: string; queued: boolean }>(`/api/chat/sessions/${S}/messages`, { content, ...more });
const messages = (server: LiveServer, S: string) => server.get<Message[]>(`/api/chat/sessions/${S}/messages`);

async function answer(server: LiveServer, R: string, output: string, more: object = {}) {
  const [task] = await server.claim([R]);
  if (task === undefined) throw new Error("nothing to claim");
  await server.post(`/api/daemon/tasks/${task.id}/start`);
  await server.clock?.advance(1500);
  await server.post(`/api/daemon/tasks/${task.id}/complete`, { output, ...more });
  return task;
}

describe("a conversation", () => {
  it("is claimed as a chat task and answered with what the run wrote", async () => {
    const { server, R, A, S } = await world();
    const sent = await say(server, S, "hello");
    expect(sent).toMatchObject({ queued: false, supports_queue: true });
    expect(await server.get(`/api/chat/sessions/${S}/pending-task`)).toMatchObject({ task_id: sent.task_id, status: "queued", queued_tasks: [] });
    expect(await say(server, S, "are you there?")).toMatchObject({ task_id: sent.task_id, queued: true });
    const task = await answer(server, R, "Yes.\\nHow can I help?", { session_id: "s1", work_dir: "/w/1" });
    expect(task).toMatchObject({ id: sent.task_id, kind: "chat", issue_id: "", chat_session_id: S, chat_message: "hello\n\nare you there?", thread_name: "Help", priority: 2, requesting_user_name: "Local user" });
    expect(task).not.toHaveProperty("prior_session_id");
    const all = await messages(server, S);
    expect(all.map((one) => [one.role, one.content])).toEqual([["user", "hello"], ["user", "are you there?"], ["assistant", "Yes.\nHow can I help?"]]);
    expect(all[2]).toMatchObject({ task_id: task.id, elapsed_ms: 1500, message_kind: "message", failure_reason: null });
    expect(await server.get(`/api/chat/sessions/${S}`)).toMatchObject({ agent_id: A, has_unread: true, unread_count: 1, last_message: { role: "assistant" } });
    expect(await server.post(`/api/chat/sessions/${S}/read`)).toMatchObject({ has_unread: false });
    expect(await server.get(`/api/chat/sessions/${S}/pending-task`)).toEqual({ supports_queue: true, queued_tasks: [] });

    await say(server, S, "go on");
    const second = await answer(server, R, "  ", { session_id: "s1", work_dir: "/w/1" });
    expect(second).toMatchObject({ chat_message: "go on", prior_session_id: "s1", prior_work_dir: "/w/1" });
    expect((await messages(server, S)).at(-1)).toMatchObject({ role: "assistant", message_kind: "no_response" });
  });

  it("answers one turn at a time; what is said meanwhile is the next turn", async () => {
    const { server, R, S } = await world();
    const first = await say(server, S, "one");
    const [task] = await server.claim([R]);
    await server.post(`/api/daemon/tasks/${task?.id}/start`);
    const second = await say(server, S, "two");
    expect(second).toMatchObject({ queued: true });
    expect(second.task_id).not.toBe(first.task_id);
    expect(await say(server, S, "three")).toMatchObject({ task_id: second.task_id });
    expect(await server.claim([R])).toEqual([]);
    expect(await server.get(`/api/chat/sessions/${S}/pending-task`)).toMatchObject({ task_id: first.task_id, status: "running", queued_tasks: [{ task_id: second.task_id }] });
    await server.post(`/api/daemon/tasks/${task?.id}/complete`, { output: "1", session_id: "s1" });
    expect(await server.claim([R])).toMatchObject([{ id: second.task_id, chat_message: "two\n\nthree", prior_session_id: "s1" }]);
  });

  it("tells of a failure, tries again what may be tried again, and does not continue a poisoned session", async () => {
    const { server, R, S } = await world();
    await say(server, S, "hello");
    const [task] = await server.claim([R]);
    await server.post(`/api/daemon/tasks/${task?.id}/start`);
    await server.post(`/api/daemon/tasks/${task?.id}/fail`, { error: "lost", failure_reason: "timeout", session_id: "s1", work_dir: "/w" });
    expect((await messages(server, S)).map((one) => one.role)).toEqual(["user"]);
    const [again] = await server.claim([R]);
    expect(again).toMatchObject({ parent_task_id: task?.id, attempt: 2, priority: 3, chat_message: "hello", prior_session_id: "s1", prior_work_dir: "/w" });
    await server.post(`/api/daemon/tasks/${again?.id}/start`);
    await server.post(`/api/daemon/tasks/${again?.id}/fail`, { error: "prompt is too long", failure_reason: "agent_error.context_overflow", session_id: "s1" });
    expect((await messages(server, S)).at(-1)).toMatchObject({ role: "assistant", content: "prompt is too long", failure_reason: "agent_error.context_overflow" });
    await say(server, S, "try differently");
    const [fresh] = await server.claim([R]);
    expect(fresh).not.toHaveProperty("prior_session_id");
    await server.post(`/api/tasks/${fresh?.id}/cancel`);
    expect((await messages(server, S)).at(-1)).toMatchObject({ role: "assistant", content: "prompt is too long" });
  });

  it("is read by its agent through the task's token, page by page, and by no other", async () => {
    const { server, R, A, S } = await world();
    for (const text of ["a", "b", "c"]) await say(server, S, text);
    const [task] = await server.claim([R]);
    const agent = { token: task?.auth_token ?? "" };
    const page = (await server.call("GET", "/api/chat/history?limit=2", undefined, agent)).body;
    expect(page).toMatchObject({ channel_type: "direct", messages: [{ text: "b", role: "user", author: "Local user" }, { text: "c" }] });
    expect(String((page["messages"] as unknown as { ts: string }[])[0]?.ts)).toMatch(/\.\d{9}Z$/);
    const older = await server.call("GET", `/api/chat/history?limit=2&before=${String(page["next_cursor"])}`, undefined, agent);
    expect(older.body).toMatchObject({ messages: [{ text: "a" }] });
    expect(older.body).not.toHaveProperty("next_cursor");
    expect((await server.call("GET", "/api/chat/thread?id=t1", undefined, agent)).body).toMatchObject({ thread_id: "t1", messages: [{}, {}, {}] });
    expect((await server.call("GET", "/api/chat/history?before=x", undefined, agent)).body).toEqual({ error: "invalid cursor" });
    expect((await server.call("GET", "/api/chat/history")).status).toBe(403);
    expect((await server.call("GET", "/api/chat/sessions", undefined, agent)).status).toBe(403);
    expect((await server.call("POST", `/api/chat/sessions/${S}/messages`, { content: "x" }, agent)).status).toBe(403);
    const B = await server.agent(R, "Other");
    await server.issue(B);
    const [other] = await server.claim([R]);
    const wrong = await server.call("GET", "/api/chat/history", undefined, { token: other?.auth_token ?? "" });
    expect([A !== B, wrong.status, wrong.body]).toEqual([true, 400, { error: "this task is not a chat task" }]);
  });

  it("carries files both ways", async () => {
    const { server, R, S } = await world();
    const upload = async (fields: Record<string, string>, token = server.token) => {
      const form = new FormData();
      for (const [key, value] of Object.entries(fields)) form.set(key, value);
      form.set("file", new Blob(["hello"], { type: "text/plain" }), "a.txt");
      const response = await fetch(`${server.url}/api/upload-file`, { method: "POST", headers: { authorization: `Bearer ${token}`, "x-workspace-id": server.workspaceId }, body: form });
      return (await response.json()) as { id: string; chat_session_id: string };
    };
    const mine = await upload({ chat_session_id: S });
    const sent = await say(server, S, "see", { attachment_ids: [mine.id] });
    expect(sent).toMatchObject({ attachment_ids: [mine.id] });
    const [task] = await server.claim([R]);
    expect(task).toMatchObject({ chat_message_attachments: [{ id: mine.id, filename: "a.txt", content_type: "text/plain" }] });
    const token = task?.auth_token ?? "";
    expect((await fetch(`${server.url}/api/attachments/${mine.id}/download`, { headers: { authorization: `Bearer ${token}` } })).status).toBe(200);
    await server.post(`/api/daemon/tasks/${task?.id}/start`);
    const theirs = await upload({ task_id: task?.id ?? "" }, token);
    expect(theirs.chat_session_id).toBe(S);
    await server.post(`/api/daemon/tasks/${task?.id}/complete`, { output: "here" });
    expect(await messages(server, S)).toMatchObject([{ attachments: [{ id: mine.id }] }, { content: "here", attachments: [{ id: theirs.id }] }]);
  });

  it("is paged, renamed, pinned, archived and deleted; its directory's fate follows", async () => {
    const { server, R, S } = await world();
    for (const text of ["a", "b", "c"]) await say(server, S, text);
    const page = await server.get<{ messages: Message[]; next_cursor: { id: string; created_at: string } }>(`/api/chat/sessions/${S}/messages/page?limit=2`);
    expect(page).toMatchObject({ limit: 2, has_more: true, messages: [{ content: "b" }, { content: "c" }] });
    const { id, created_at } = page.next_cursor;
    expect(await server.get(`/api/chat/sessions/${S}/messages/page?limit=2&before_created_at=${created_at}&before_id=${id}`)).toMatchObject({ has_more: false, messages: [{ content: "a" }] });
    expect((await server.call("GET", `/api/chat/sessions/${S}/messages/page?before_id=${id}`)).status).toBe(400);
    expect(await server.get(`/api/daemon/chat-sessions/${S}/gc-check`)).toMatchObject({ status: "active" });
    expect((await server.call("PATCH", `/api/chat/sessions/${S}`, { title: "New", pinned: true })).body).toMatchObject({ title: "New", pinned: true });
    expect((await server.call("PATCH", `/api/chat/sessions/${S}`, { status: "archived" })).body).toMatchObject({ status: "archived" });
    expect(await server.claim([R])).toEqual([]);
    const late = await server.call("POST", `/api/chat/sessions/${S}/messages`, { content: "x" });
    expect([late.status, late.body]).toEqual([400, { error: "chat session is archived" }]);
    expect(await server.get(`/api/daemon/chat-sessions/${S}/gc-check`)).toMatchObject({ status: "archived" });
    expect(await server.get("/api/chat/sessions?status=active")).toEqual([]);
    expect((await server.call("DELETE", `/api/chat/sessions/${S}`)).status).toBe(204);
    expect((await server.call("GET", `/api/daemon/chat-sessions/${S}/gc-check`)).body).toEqual({ error: "chat session not found" });
  });

  it("is not run when there is nothing left to answer", async () => {
    const { server, R, S } = await world();
    const sent = await say(server, S, "hello");
    const db = openDatabase(join(server.dataDir, "server.sqlite"));
    db.exec("DELETE FROM chat_message");
    db.close();
    const claim = await server.call("POST", `/api/daemon/runtimes/${R}/tasks/claim`, {});
    expect([claim.status, claim.body]).toEqual([500, { error: "chat task has no pending message" }]);
    expect(await server.get(`/api/daemon/tasks/${sent.task_id}/status`)).toEqual({ status: "cancelled" });
  });

  it("refuses what cannot be said or heard", async () => {
    const { server, R, A, S } = await world();
    for (const [body, status, error] of [
      [{}, 400, "agent_id is required"],
      [{ agent_id: uuid() }, 404, "agent not found"],
      [{ agent_id: A, project_id: uuid() }, 400, "project not found in this workspace"],
    ] as const) {
      const answer = await server.call("POST", "/api/chat/sessions", body);
      expect([answer.status, answer.body["error"]]).toEqual([status, error]);
    }
    const empty = await server.call("POST", `/api/chat/sessions/${S}/messages`, { content: " " });
    expect([empty.status, empty.body]).toEqual([400, { error: "content is required" }]);
    expect((await server.call("GET", `/api/chat/sessions/${uuid()}`)).body).toEqual({ error: "chat session not found" });
    await say(server, S, "hello");
    await server.call("DELETE", `/api/chat/sessions/${S}`);
    expect(await server.claim([R])).toEqual([]);
    const other = String((await server.post("/api/chat/sessions", { agent_id: A }))["id"]);
    await server.post(`/api/agents/${A}/archive`);
    expect(await server.call("POST", `/api/chat/sessions/${other}/messages`, { content: "x" })).toMatchObject({ status: 409, body: { error: "chat agent is archived" } });
    const machineless = await server.agent(R, "Lost");
    const lost = String((await server.post("/api/chat/sessions", { agent_id: machineless }))["id"]);
    const db = openDatabase(join(server.dataDir, "server.sqlite"));
    db.exec("UPDATE agent SET runtime_id = NULL");
    db.close();
    expect(await server.call("POST", `/api/chat/sessions/${lost}/messages`, { content: "x" })).toMatchObject({ status: 409, body: { error: "chat agent has no runtime" } });
    expect(await server.call("POST", "/api/chat/sessions", { agent_id: A })).toMatchObject({ status: 400, body: { error: "agent is archived" } });
  });
});

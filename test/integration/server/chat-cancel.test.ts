import { describe, expect, it } from "vitest";
import { type CallOptions, type ClaimedTask, type LiveServer, liveServer } from "../../support/live-server.ts";

type Message = { id: string; role: string; content: string; failure_reason: string | null; elapsed_ms: number | null; attachments: { id: string }[] };

/** A client that asks a conversation for its drafts. */
const KNOWS_DRAFTS: CallOptions = { headers: { "x-client-capabilities": "chat-draft-restore-v1" } };

async function world() {
  const server = await liveServer();
  const R = await server.register();
  const A = await server.agent(R);
  const session = async () => String((await server.post("/api/chat/sessions", { agent_id: A }))["id"]);
  return { server, R, A, session };
}

const say = (server: LiveServer, S: string, content: string, more: object = {}) => server.post<{ message_id: string; task_id: string }>(`/api/chat/sessions/${S}/messages`, { content, ...more });
const messages = (server: LiveServer, S: string) => server.get<Message[]>(`/api/chat/sessions/${S}/messages`);
const drafts = async (server: LiveServer, S: string) => (await server.get<{ restores: { id: string; content: string }[] }>(`/api/chat/sessions/${S}/draft-restores`)).restores;
const cancel = (server: LiveServer, id: string, options: CallOptions = {}) => server.post(`/api/tasks/${id}/cancel`, {}, options);
const acknowledge = (server: LiveServer, id: string) => server.post(`/api/daemon/tasks/${id}/cancel-ack`, {});
const wrote = (server: LiveServer, id: string, first: number, ...entries: object[]) =>
  server.post(`/api/daemon/tasks/${id}/messages`, { messages: entries.map((entry, at) => ({ seq: first + at, ...entry })) });

/** The conversation's question is being answered. */
async function asked(server: LiveServer, R: string, S: string, question = "hello"): Promise<ClaimedTask> {
  await say(server, S, question);
  const [task] = await server.claim([R]);
  if (task === undefined) throw new Error("nothing to claim");
  await server.post(`/api/daemon/tasks/${task.id}/start`);
  return task;
}

describe("a cancelled chat turn", () => {
  it("that had not begun gives its question back with the answer, as often as that is asked for, its files free again", async () => {
    const { server, R, session } = await world();
    const S = await session();
    const form = new FormData();
    form.set("chat_session_id", S);
    form.set("file", new Blob(["hello"], { type: "text/plain" }), "a.txt");
    const upload = await fetch(`${server.url}/api/upload-file`, { method: "POST", headers: { authorization: `Bearer ${server.token}`, "x-workspace-id": server.workspaceId }, body: form });
    const file = ((await upload.json()) as { id: string }).id;
    await say(server, S, "one", { attachment_ids: [file] });
    const { task_id: T, message_id: last } = await say(server, S, "two");
    for (const time of ["first", "again"]) {
      expect(await cancel(server, T), time).toMatchObject({
        status: "cancelled",
        cancelled_chat_message: { chat_session_id: S, message_id: last, content: "one\n\ntwo", restore_to_input: true, attachments: [{ id: file }] },
      });
    }
    expect(await messages(server, S)).toEqual([]);
    expect(await drafts(server, S)).toEqual([]);
    await say(server, S, "one and two", { attachment_ids: [file] });
    expect(await messages(server, S)).toMatchObject([{ attachments: [{ id: file }] }]);
    // The same for a turn that its daemon was still preparing.
    const [task] = await server.claim([R]);
    expect(await cancel(server, task?.id ?? "")).toMatchObject({ cancelled_chat_message: { content: "one and two" } });
    await acknowledge(server, task?.id ?? "");
    expect(await messages(server, S)).toEqual([]);
  });

  it("that was running keeps what it said, the words that came late too, as a message that bears the cancellation", async () => {
    const { server, R, session } = await world();
    const S = await session();
    const { id } = await asked(server, R, S);
    await wrote(server, id, 1, { type: "text", content: "Let me " }, { type: "text", content: "look." }, { type: "tool_use", tool: "sh" });
    await server.clock.advance(2000);
    const answer = await cancel(server, id, KNOWS_DRAFTS);
    expect(answer).toMatchObject({ status: "cancelled" });
    expect(answer).not.toHaveProperty("cancelled_chat_message");
    await wrote(server, id, 4, { type: "text", content: "It is th" });
    expect(await messages(server, S)).toHaveLength(1);
    await acknowledge(server, id);
    const [question, said] = await messages(server, S);
    expect(question).toMatchObject({ role: "user", content: "hello" });
    expect(said).toMatchObject({ role: "assistant", content: "Let me look.\n\nIt is th", failure_reason: "cancelled", elapsed_ms: 2000, task_id: id });
    // Words after the acknowledgement still belong to it; nothing is said twice.
    await wrote(server, id, 5, { type: "text", content: "ere." });
    await acknowledge(server, id);
    expect(await server.post(`/api/daemon/tasks/${id}/complete`, { output: "It is there." })).toMatchObject({ status: "cancelled", result: null });
    expect((await messages(server, S)).map((one) => one.content)).toEqual(["hello", "Let me look.\n\nIt is there."]);
    expect(await drafts(server, S)).toEqual([]);
  });

  it("that said nothing gives its question back as a draft, to a client that knows drafts", async () => {
    const { server, R, session } = await world();
    const [knows, older] = [await session(), await session()];
    const first = await asked(server, R, knows, "mine");
    await wrote(server, first.id, 1, { type: "thinking", content: "hm" });
    await cancel(server, first.id, KNOWS_DRAFTS);
    expect(await drafts(server, knows)).toEqual([]);
    await acknowledge(server, first.id);
    const [draft] = await drafts(server, knows);
    expect(draft).toMatchObject({ content: "mine", chat_session_id: knows, task_id: first.id, attachments: [] });
    expect(await messages(server, knows)).toEqual([]);
    const path = `/api/chat/sessions/${knows}/draft-restores/${draft?.id ?? ""}`;
    expect((await server.call("DELETE", path)).status).toBe(204);
    expect(await server.call("DELETE", path)).toMatchObject({ status: 404, body: { error: "draft not found" } });
    expect(await drafts(server, knows)).toEqual([]);

    const second = await asked(server, R, older, "mine too");
    await cancel(server, second.id);
    await acknowledge(server, second.id);
    expect((await messages(server, older)).map((one) => one.content)).toEqual(["mine too"]);
    expect(await drafts(server, older)).toEqual([]);

    const third = await asked(server, R, older, "do it");
    await wrote(server, third.id, 1, { type: "tool_use", tool: "sh" });
    await cancel(server, third.id, KNOWS_DRAFTS);
    await acknowledge(server, third.id);
    expect((await messages(server, older)).at(-1)).toMatchObject({ role: "assistant", failure_reason: "cancelled", content: "The run was cancelled before it answered." });
    expect((await messages(server, older)).at(-2)?.content).toBe("do it");
  });

  it("whose first words come after its question went back stands in the conversation again", async () => {
    const { server, R, session } = await world();
    const [drafted, taken, kept] = [await session(), await session(), await session()];
    const turns: Record<string, string> = {};
    for (const [S, options] of [[drafted, KNOWS_DRAFTS], [taken, KNOWS_DRAFTS], [kept, {}]] as const) {
      const { id } = await asked(server, R, S);
      await cancel(server, id, options);
      await acknowledge(server, id);
      turns[S] = id;
    }
    await server.call("DELETE", `/api/chat/sessions/${taken}/draft-restores/${(await drafts(server, taken))[0]?.id ?? ""}`);
    for (const S of [drafted, taken, kept]) await wrote(server, turns[S] ?? "", 1, { type: "text", content: "hi" });
    for (const S of [drafted, kept]) {
      expect(await messages(server, S)).toMatchObject([{ role: "user", content: "hello" }, { role: "assistant", content: "hi", failure_reason: "cancelled" }]);
      expect(await drafts(server, S)).toEqual([]);
    }
    expect(await messages(server, taken)).toEqual([]);
    expect(await server.get(`/api/tasks/${turns[taken] ?? ""}/messages`)).toMatchObject([{ content: "hi" }]);
  });

  it("whose daemon is silent has its outcome after 60 s; a late report says it earlier", async () => {
    const { server, R, session } = await world();
    const S = await session();
    const silent = await asked(server, R, S);
    await wrote(server, silent.id, 1, { type: "text", content: "half" });
    await server.clock.advance(60_000);
    await cancel(server, silent.id);
    await server.clock.advance(59_000);
    expect(await messages(server, S)).toHaveLength(1);
    await server.post("/api/daemon/heartbeat", { runtime_id: R });
    await server.clock.advance(31_000);
    expect((await messages(server, S)).at(-1)).toMatchObject({ content: "half", failure_reason: "cancelled" });

    const late = await asked(server, R, S, "and?");
    await cancel(server, late.id);
    expect(await server.post(`/api/daemon/tasks/${late.id}/complete`, { output: "All of it." })).toMatchObject({ status: "cancelled" });
    expect((await messages(server, S)).at(-1)).toMatchObject({ content: "All of it.", failure_reason: "cancelled" });
    const failed = await asked(server, R, S, "and then?");
    await cancel(server, failed.id);
    await server.post(`/api/daemon/tasks/${failed.id}/fail`, { error: "stopped", failure_reason: "cancelled" });
    await acknowledge(server, failed.id);
    expect((await messages(server, S)).at(-1)).toMatchObject({ role: "user", content: "and then?" });
  });

  it("is nobody's but its person's, and leaves the question where it is when something else ends it", async () => {
    const { server, R, A, session } = await world();
    const S = await session();
    const { task_id: T } = await say(server, S, "hello");
    const I = await server.issue(A);
    const tasks = await server.claim([R]);
    const other = tasks.find((task) => task.issue_id === I);
    const stranger = { token: other?.auth_token ?? "" };
    for (const [method, path] of [["POST", "cancel"], ["GET", "messages"]] as const) {
      expect(await server.call(method, `/api/tasks/${T}/${path}`, method === "POST" ? {} : undefined, stranger)).toMatchObject({ status: 404, body: { error: "task not found" } });
    }
    // The agent itself may end the turn that it answers.
    const own = tasks.find((task) => task.id === T);
    await server.post(`/api/daemon/tasks/${T}/start`);
    const answer = await server.call("POST", `/api/tasks/${T}/cancel`, {}, { token: own?.auth_token ?? "" });
    expect(answer).toMatchObject({ status: 200, body: { status: "cancelled" } });
    expect(answer.body).not.toHaveProperty("cancelled_chat_message");
    await acknowledge(server, T);
    expect((await messages(server, S)).map((one) => one.content)).toEqual(["hello"]);
    const running = await asked(server, R, S, "still there?");
    await wrote(server, running.id, 1, { type: "text", content: "Yes" });
    expect((await server.call("PATCH", `/api/chat/sessions/${S}`, { status: "archived" })).status).toBe(200);
    await acknowledge(server, running.id);
    expect((await messages(server, S)).map((one) => one.content)).toEqual(["hello", "still there?", "Yes"]);
    expect((await server.call("GET", `/api/chat/sessions/${S}/draft-restores`, undefined, { token: other?.auth_token ?? "" })).status).toBe(403);
  });
});

describe("a chat turn that is tried again (server-api.md 11.6)", () => {
  it("after its time comes before what was said meanwhile, which waits for it", async () => {
    const { server, R, session } = await world();
    const S = await session();
    const network = { error: "dial tcp: refused", failure_reason: "agent_error.provider_network" };
    await asked(server, R, S, "one").then((task) => server.post(`/api/daemon/tasks/${task.id}/fail`, network));
    const [second] = await server.claim([R]);
    await server.post(`/api/daemon/tasks/${second?.id}/start`);
    const behind = await say(server, S, "two");
    await server.post(`/api/daemon/tasks/${second?.id}/fail`, network);
    expect(await server.get(`/api/chat/sessions/${S}/pending-task`)).toMatchObject({ status: "deferred", queued_tasks: [{ task_id: behind.task_id }] });
    expect(await say(server, S, "three")).toMatchObject({ task_id: behind.task_id });
    expect(await server.claim([R])).toEqual([]);
    const socket = await server.connect([R]);
    await server.clock.advance(5000);
    await socket.next("daemon:task_available");
    expect(await server.claim([R])).toMatchObject([{ attempt: 3, chat_message: "one" }]);
    expect(behind.task_id).not.toBe(second?.id);
  });
});

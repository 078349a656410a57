import { describe, expect, it } from "vitest";
import { type LiveServer, liveServer } from "../../support/live-server.ts";

const BATCH = { supports_batch_import: true };

function beat(server: LiveServer, runtimeId: string, more: object = BATCH) {
  return server.post(`/api/daemon/heartbeat`, { runtime_id: runtimeId, ...more });
}

async function ask(server: LiveServer, path: string, body: unknown = {}): Promise<string> {
  return String((await server.post(path, body))["id"]);
}

describe("requests to a runtime", () => {
  it("goes out once with a heartbeat, is answered by the daemon and read by its user", async () => {
    const server = await liveServer();
    const R = await server.register();
    const made = await server.post(`/api/runtimes/${R}/models`);
    expect(made).toMatchObject({ runtime_id: R, status: "pending", supported: true });
    const id = String(made["id"]);
    expect(await ask(server, `/api/runtimes/${R}/models`)).toBe(id);
    expect(await beat(server, R)).toEqual({ status: "ok", pending_model_list: { id } });
    expect(await beat(server, R)).toEqual({ status: "ok" });
    expect(await server.get(`/api/runtimes/${R}/models/${id}`)).toMatchObject({ status: "running" });
    const models = [{ id: "gpt-5", label: "GPT-5", default: true, thinking: { supported_levels: [{ value: "low", label: "Low" }], default_level: "low" } }];
    const result = `/api/daemon/runtimes/${R}/models/${id}/result`;
    expect(await server.post(result, { status: "completed", models, supported: true, fallback: true })).toEqual({ status: "ok" });
    expect(await server.get(`/api/runtimes/${R}/models/${id}`)).toMatchObject({ status: "completed", supported: true, fallback: true, models });
    expect(await server.post(result, { status: "failed", error: "late" })).toEqual({ status: "ok" });
    expect(await server.get(`/api/runtimes/${R}/models/${id}`)).toMatchObject({ status: "completed" });
  });

  it("goes out with an ack on the socket, after a hint", async () => {
    const server = await liveServer();
    const R = await server.register();
    const socket = await server.connect([R]);
    const id = await ask(server, `/api/runtimes/${R}/update`, { target_version: "0.5.0" });
    expect((await socket.next("daemon:pending_work")).payload).toEqual({ runtime_id: R, kind: "update" });
    socket.send("daemon:heartbeat", { runtime_id: R, ...BATCH });
    expect((await socket.next("daemon:heartbeat_ack")).payload).toMatchObject({ status: "ok", pending_update: { id, target_version: "0.5.0" } });
    expect(await beat(server, R)).toEqual({ status: "ok" });
    const again = await server.call("POST", `/api/runtimes/${R}/update`, { target_version: "0.5.1" });
    expect([again.status, again.body]).toEqual([409, { error: "an update is already in progress" }]);
    const result = `/api/daemon/runtimes/${R}/update/${id}/result`;
    await server.post(result, { status: "running" });
    const odd = await server.call("POST", result, { status: "maybe" });
    expect([odd.status, odd.body]).toEqual([400, { error: "invalid status: maybe" }]);
    await server.post(result, { status: "completed", output: "Updated to 0.5.0" });
    expect(await server.get(`/api/runtimes/${R}/update/${id}`)).toMatchObject({ status: "completed", target_version: "0.5.0", output: "Updated to 0.5.0" });
    expect(await ask(server, `/api/runtimes/${R}/update`, { target_version: "0.5.1" })).not.toBe(id);
  });

  it.each([
    ["update", { target_version: "1.0.0" }, "update", 120_000, 150_000, 300_000],
    ["models", {}, "models", 30_000, 60_000, 120_000],
    ["local-skills", {}, "local-skills", 180_000, 60_000, 300_000],
    ["local-skills/import", { skill_key: "a" }, "local-skills/import", 180_000, 60_000, 300_000],
  ])("%s times out when nobody takes it or nobody answers, and is forgotten later", async (path, body, poll, pending, running, kept) => {
    const server = await liveServer();
    const R = await server.register();
    const status = async (id: string) => (await server.call("GET", `/api/runtimes/${R}/${poll}/${id}`)).body["status"] ?? "gone";
    const untaken = await ask(server, `/api/runtimes/${R}/${path}`, body);
    await server.clock.advance(pending - 1000);
    expect(await status(untaken)).toBe("pending");
    await server.clock.advance(1000);
    expect(await status(untaken)).toBe("timeout");
    expect(await beat(server, R)).toEqual({ status: "ok" });
    await server.clock.advance(kept);
    expect(await status(untaken)).toBe("gone");

    await server.register();
    const unanswered = await ask(server, `/api/runtimes/${R}/${path}`, body);
    await beat(server, R);
    await server.clock.advance(running - 1000);
    expect(await status(unanswered)).toBe("running");
    await server.clock.advance(1000);
    expect(await status(unanswered)).toBe("timeout");
    const late = await server.call("POST", `/api/daemon/runtimes/${R}/${poll}/${unanswered}/result`, { status: "failed" });
    expect([late.status, late.body]).toEqual([200, { status: "ok" }]);
    await server.clock.advance(kept);
    const gone = await server.call("POST", `/api/daemon/runtimes/${R}/${poll}/${unanswered}/result`, { status: "failed" });
    expect([gone.status, gone.body]).toEqual([404, { error: path === "update" ? "update not found" : "request not found" }]);
  });

  it("hands up to ten imports over at once, one to a daemon that reads no list", async () => {
    const server = await liveServer();
    const R = await server.register();
    for (let n = 0; n < 12; n += 1) await ask(server, `/api/runtimes/${R}/local-skills/import`, { skill_key: `k${n}` });
    expect(await beat(server, R, {})).toMatchObject({ pending_local_skill_import: { skill_key: "k0" } });
    const many = await beat(server, R);
    expect((many["pending_local_skill_imports"] as { skill_key: string }[]).map((one) => one.skill_key)).toEqual(Array.from({ length: 10 }, (_, n) => `k${n + 1}`));
    expect(await beat(server, R)).toMatchObject({ pending_local_skill_imports: [{ skill_key: "k11" }] });
  });

  it("hands each import to exactly one of many heartbeats on both transports", async () => {
    const server = await liveServer();
    const R = await server.register();
    const socket = await server.connect([R]);
    const asked: string[] = [];
    for (let n = 0; n < 35; n += 1) asked.push(await ask(server, `/api/runtimes/${R}/local-skills/import`, { skill_key: `k${n}` }));
    for (let n = 0; n < 4; n += 1) socket.send("daemon:heartbeat", { runtime_id: R, ...BATCH });
    const overHttp = await Promise.all(Array.from({ length: 6 }, () => beat(server, R)));
    const overSocket: Record<string, unknown>[] = [];
    for (let n = 0; n < 4; n += 1) overSocket.push({ ...(await socket.next("daemon:heartbeat_ack")).payload });
    const given = [...overHttp, ...overSocket].flatMap((answer) => ((answer["pending_local_skill_imports"] ?? []) as { id: string }[]).map((one) => one.id));
    expect(given.toSorted()).toEqual(asked.toSorted());
  });

  it("shows local skills and MCP servers as the daemon found them", async () => {
    const server = await liveServer();
    const R = await server.register();
    const id = await ask(server, `/api/runtimes/${R}/local-skills`);
    await beat(server, R);
    const skills = [{ key: "deploy", name: "deploy", source_path: "~/.claude/skills/deploy", provider: "claude", file_count: 2 }];
    const mcp_servers = [{ name: "github", transport: "stdio", enabled: true }];
    await server.post(`/api/daemon/runtimes/${R}/local-skills/${id}/result`, { status: "completed", skills, supported: true, mcp_servers, mcp_supported: true });
    expect(await server.get(`/api/runtimes/${R}/local-skills/${id}`)).toMatchObject({ status: "completed", skills, mcp_servers, supported: true });
  });

  it("makes a workspace skill of an import, and says what a taken name means", async () => {
    const server = await liveServer();
    const R = await server.register();
    const run = async (input: object, answer: object) => {
      const id = await ask(server, `/api/runtimes/${R}/local-skills/import`, { skill_key: "deploy", ...input });
      await beat(server, R);
      await server.post(`/api/daemon/runtimes/${R}/local-skills/import/${id}/result`, answer);
      return server.get(`/api/runtimes/${R}/local-skills/import/${id}`);
    };
    const skill = { name: "deploy", description: "d", content: "# Deploy", source_path: "/x", provider: "claude", files: [{ path: "a.sh", content: "echo" }] };
    const done = await run({}, { status: "completed", skill });
    expect(done).toMatchObject({ status: "completed", skill: { name: "deploy", content: "# Deploy", files: [{ path: "a.sh", content: "echo" }] } });
    const S = String((done["skill"] as unknown as { id: string }).id);
    expect(await run({}, { status: "completed", skill })).toMatchObject({ status: "failed", error: "a skill with this name already exists" });
    expect(await run({ supports_conflict: true }, { status: "completed", skill })).toMatchObject({ status: "conflict", existing_skill: { id: S, can_overwrite: true } });
    expect(await run({ action: "overwrite", target_skill_id: S }, { status: "completed", skill: { ...skill, content: "new", files: [] } })).toMatchObject({ status: "completed", skill: { id: S, content: "new", files: [] } });
    expect(await run({ name: "other" }, { status: "completed", skill })).toMatchObject({ status: "completed", skill: { name: "other" } });
    const bad = { ...skill, name: "third", files: [{ path: "../x", content: "" }] };
    expect(await run({}, { status: "completed", skill: bad })).toMatchObject({ status: "failed", error: "invalid file path" });
    expect((await server.get<{ name: string }[]>("/api/skills")).map((one) => one.name)).toEqual(["deploy", "other"]);
    expect(await run({}, { status: "failed", error: "no such skill" })).toMatchObject({ status: "failed", error: "no such skill" });
  });

  it("refuses what is missing, offline, unknown or not for agents", async () => {
    const server = await liveServer();
    const R = await server.register();
    const A = await server.agent(R);
    await server.issue(A);
    const [task] = await server.claim([R]);
    const refusals: [string, string, unknown, number, string][] = [
      ["POST", `/api/runtimes/${R}/update`, {}, 400, "target_version is required"],
      ["POST", `/api/runtimes/${R}/update`, { target_version: "; rm" }, 400, "invalid target_version"],
      ["POST", `/api/runtimes/${R}/local-skills/import`, {}, 400, "skill_key is required"],
      ["POST", `/api/runtimes/${R}/local-skills/import`, { skill_key: "a", action: "eat" }, 400, "action must be 'create' or 'overwrite'"],
      ["POST", `/api/runtimes/${R}/local-skills/import`, "[]", 400, "invalid request body"],
      ["POST", `/api/runtimes/${A}/models`, {}, 404, "runtime not found"],
      ["GET", `/api/runtimes/${R}/models/${A}`, undefined, 404, "request not found"],
      ["GET", `/api/runtimes/${R}/models/x`, undefined, 400, "invalid request id"],
      ["POST", `/api/daemon/runtimes/${A}/models/${A}/result`, {}, 404, "runtime not found"],
    ];
    for (const [method, path, body, status, error] of refusals) {
      const answer = await server.call(method, path, body);
      expect([answer.status, answer.body["error"]], path).toEqual([status, error]);
    }
    const agent = { token: task?.auth_token ?? "" };
    for (const path of ["update", "local-skills", "local-skills/import"]) {
      expect((await server.call("POST", `/api/runtimes/${R}/${path}`, { target_version: "1.0.0", skill_key: "a" }, agent)).status).toBe(403);
    }
    expect((await server.call("POST", `/api/runtimes/${R}/models`, {}, agent)).status).toBe(200);
    await server.post("/api/daemon/deregister", { runtime_ids: [R] });
    const offline = await server.call("POST", `/api/runtimes/${R}/models`);
    expect([offline.status, offline.body]).toEqual([503, { error: "runtime is offline" }]);
  });
});

describe("usage", () => {
  it("adds tokens up per day and model for a runtime, and in all for an issue", async () => {
    const server = await liveServer();
    const R = await server.register();
    const A = await server.agent(R);
    const I = await server.issue(A);
    const [task] = await server.claim([R]);
    await server.post(`/api/daemon/tasks/${task?.id}/start`);
    const usage = [{ provider: "Codex", model: "gpt-5", input_tokens: 10, output_tokens: 5, cache_read_tokens: 2, cache_write_tokens: 1 }];
    await server.post(`/api/daemon/tasks/${task?.id}/usage`, { usage });
    const [day] = await server.get<Record<string, unknown>[]>(`/api/runtimes/${R}/usage?days=7`);
    expect(day).toMatchObject({ runtime_id: R, provider: "codex", model: "gpt-5", input_tokens: 10, output_tokens: 5, cache_read_tokens: 2, cache_write_tokens: 1 });
    expect(String(day?.["date"])).toMatch(/^\d{4}-\d{2}-\d{2}$/);
    expect(await server.get(`/api/runtimes/${R}/activity`)).toMatchObject([{ count: 1 }]);
    expect(await server.get(`/api/issues/${I}/usage`)).toMatchObject({ total_input_tokens: 10, total_output_tokens: 5, task_count: 1 });
    await server.clock.advance(26 * 3_600_000);
    expect(await server.get(`/api/runtimes/${R}/usage?days=1`)).toEqual([]);
  });
});

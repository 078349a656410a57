import { describe, expect, it } from "vitest";
import { uuid } from "../../../src/lib/core/index.ts";
import { testServer } from "../../support/server.ts";

describe("agents (server-api.md 13.9)", () => {
  it("are created with defaults, and never show the values of their environment", async () => {
    const server = await testServer();
    const [runtimeId = ""] = await server.runtimes("codex");
    const reply = await server.call("POST", "/api/agents", { name: "Dev", runtime_id: runtimeId, custom_env: { KEY: "secret-value" } });
    expect(reply.status).toBe(201);
    expect(reply.body).toMatchObject({
      name: "Dev",
      runtime_id: runtimeId,
      status: "idle",
      max_concurrent_tasks: 6,
      permission_mode: "private",
      invocation_targets: [],
      has_custom_env: true,
      custom_env_key_count: 1,
      owner_id: server.userId,
      archived_at: null,
    });
    expect(reply.text).not.toContain("secret-value");
  });

  it("say what is wrong with the input", async () => {
    const server = await testServer();
    const [runtime_id = ""] = await server.runtimes("codex");
    const cases: [Record<string, unknown>, number, string][] = [
      [{ runtime_id }, 400, "name is required"],
      [{ name: "a" }, 400, "runtime_id is required"],
      [{ name: "a", runtime_id: "7" }, 400, "invalid runtime_id"],
      [{ name: "a", runtime_id: uuid() }, 400, "invalid runtime_id"],
      [{ name: "a", runtime_id, description: "x".repeat(256) }, 400, "description exceeds 255 characters"],
      [{ name: "a", runtime_id, max_concurrent_tasks: 0 }, 400, "max_concurrent_tasks must be between 1 and 50"],
      [{ name: "a", runtime_id, max_concurrent_tasks: 51 }, 400, "max_concurrent_tasks must be between 1 and 50"],
      [{ name: "a", runtime_id, permission_mode: "open" }, 400, "permission_mode must be 'private' or 'public_to'"],
    ];
    for (const [input, status, text] of cases) {
      const reply = await server.call("POST", "/api/agents", input);
      expect([reply.status, reply.body["error"]]).toEqual([status, text]);
    }
    await server.ok("POST", "/api/agents", { name: "a", runtime_id, max_concurrent_tasks: 50 });
    const twice = await server.call("POST", "/api/agents", { name: "a", runtime_id });
    expect([twice.status, twice.body["error"]]).toEqual([409, 'an agent named "a" already exists in this workspace']);
  });

  it("change partially; their environment only at its own address", async () => {
    const server = await testServer();
    const agent = await server.agent("Dev", { custom_env: { A: "1", B: "2" }, model: "m" });
    const path = `/api/agents/${agent.id}`;
    const changed = await server.ok("PUT", path, { instructions: "be brief", permission_mode: "private" });
    expect(changed).toMatchObject({ name: "Dev", instructions: "be brief", model: "m", permission_mode: "private", visibility: "private" });
    expect((await server.call("PUT", path, { custom_env: {} })).status).toBe(400);
    const env = await server.ok("PUT", `${path}/env`, { custom_env: { A: "****", C: "3", D: "****" } });
    expect(env).toEqual({ agent_id: agent.id, custom_env: { A: "1", C: "3" } });
    expect(await server.ok("GET", `${path}/env`)).toEqual(env);
  });

  it("work, rest, go offline with their runtime", async () => {
    const server = await testServer();
    const agent = await server.agent();
    const status = async (): Promise<unknown> => (await server.ok("GET", `/api/agents/${agent.id}`))["status"];
    const task = await server.startedIssue(agent);
    expect(await status()).toBe("working");
    await server.ok("POST", `/api/daemon/tasks/${task.taskId}/complete`, { output: "ok" });
    expect(await status()).toBe("idle");
    await server.ok("POST", "/api/daemon/deregister", { runtime_ids: [agent.runtimeId] });
    expect(await status()).toBe("offline");
  });

  it("lose their work when they are archived, and come back without it", async () => {
    const server = await testServer();
    const agent = await server.agent();
    const task = await server.startedIssue(agent);
    await server.ok("POST", "/api/issues", { title: "waiting", assignee_type: "agent", assignee_id: agent.id });
    const archived = await server.ok("POST", `/api/agents/${agent.id}/archive`);
    expect([archived["archived_by"], typeof archived["archived_at"]]).toEqual([server.userId, "string"]);
    const tasks = (await server.call("GET", `/api/agents/${agent.id}/tasks`)).list;
    expect(tasks.map((row) => row["status"])).toEqual(["cancelled", "cancelled"]);
    expect((await server.call("GET", "/api/me", undefined, { token: task.token })).status).toBe(401);
    expect((await server.call("GET", "/api/agents")).list).toEqual([]);
    expect((await server.call("GET", "/api/agents?include_archived=true")).list.length).toBe(1);
    expect((await server.ok("POST", `/api/agents/${agent.id}/restore`))["archived_at"]).toBeNull();
  });

  it("stop everything they do when asked", async () => {
    const server = await testServer();
    const agent = await server.agent();
    await server.startedIssue(agent);
    await server.ok("POST", "/api/issues", { title: "waiting", assignee_type: "agent", assignee_id: agent.id });
    expect(await server.ok("POST", `/api/agents/${agent.id}/cancel-tasks`)).toEqual({ cancelled: 2 });
    expect(await server.ok("POST", `/api/agents/${agent.id}/cancel-tasks`)).toEqual({ cancelled: 0 });
  });

  it("take waiting work along to another runtime", async () => {
    const server = await testServer();
    const [first = "", second = ""] = await server.runtimes("codex", "claude");
    const agent = await server.ok("POST", "/api/agents", { name: "Dev", runtime_id: first });
    await server.ok("POST", "/api/issues", { title: "waiting", assignee_type: "agent", assignee_id: agent["id"] });
    await server.ok("PUT", `/api/agents/${String(agent["id"])}`, { runtime_id: second });
    expect((await server.claim(second)).taskId).toMatch(/-/);
  });

  it("hide their MCP configuration from agents", async () => {
    const server = await testServer();
    const agent = await server.agent("Dev", { mcp_config: { mcpServers: { a: { env: { TOKEN: "hidden" } } } } });
    const task = await server.startedIssue(agent);
    const seen = await server.call("GET", `/api/agents/${agent.id}`, undefined, { token: task.token });
    expect([seen.body["mcp_config"], seen.body["mcp_config_redacted"]]).toEqual([null, true]);
    expect(seen.text).not.toContain("hidden");
    expect((await server.ok("GET", `/api/agents/${agent.id}`))["mcp_config_redacted"]).toBe(false);
  });
});

describe("runtimes (server-api.md 13.10)", () => {
  it("are listed, renamed, published, and deleted only without active agents", async () => {
    const server = await testServer();
    const agent = await server.agent();
    const path = `/api/runtimes/${agent.runtimeId}`;
    expect((await server.call("GET", "/api/runtimes?owner=me")).list.map((row) => row["provider"])).toEqual(["codex"]);
    expect(await server.ok("PATCH", path, { custom_name: "Desk", visibility: "public" })).toMatchObject({ custom_name: "Desk", visibility: "public" });
    expect((await server.call("PATCH", path, { visibility: "all" })).body["error"]).toBe("visibility must be 'private' or 'public'");
    const refused = await server.call("DELETE", path);
    expect([refused.status, refused.body["code"], refused.body["active_agents"]]).toEqual([
      409,
      "runtime_has_active_agents",
      [{ id: agent.id, name: "Dev" }],
    ]);
    await server.ok("POST", `/api/agents/${agent.id}/archive`);
    expect(await server.ok("DELETE", path)).toEqual({ status: "ok" });
    const beat = await server.call("POST", "/api/daemon/heartbeat", { runtime_id: agent.runtimeId });
    expect([beat.status, beat.text]).toEqual([404, '{"error":"runtime not found"}\n']);
    expect((await server.call("DELETE", path)).body["error"]).toBe("runtime not found");
  });
});

describe("a runtime with agents (server-api.md 13.10)", () => {
  it("goes only with exactly those the caller has seen: their runs end, their autopilots pause, they stay without one", async () => {
    const server = await testServer();
    const agent = await server.agent();
    const other = await server.ok("POST", "/api/agents", { name: "Second", runtime_id: agent.runtimeId });
    const task = await server.startedIssue(agent);
    const pilot = await server.ok("POST", "/api/autopilots", { title: "Nightly", assignee_id: agent.id, execution_mode: "run_only" });
    const cascade = (ids: unknown[], path = "unbind-agents-and-delete") => server.call("POST", `/api/runtimes/${agent.runtimeId}/${path}`, { expected_active_agent_ids: ids });
    const both = [{ id: agent.id, name: "Dev" }, { id: other["id"], name: "Second" }];
    for (const ids of [[], [agent.id], [agent.id, other["id"], agent.runtimeId]]) {
      const refused = await cascade(ids);
      expect([refused.status, refused.body["code"], refused.body["active_agents"]]).toEqual([409, "runtime_has_active_agents", both]);
    }
    expect((await server.call("POST", `/api/runtimes/${agent.runtimeId}/unbind-agents-and-delete`, {})).status).toBe(400);
    const gone = await cascade([other["id"], agent.id], "archive-agents-and-delete");
    expect([gone.status, gone.body]).toEqual([200, { status: "ok", agents_unbound: 2, autopilots_paused: 1, tasks_cancelled: 1 }]);
    expect(await server.ok("GET", `/api/agents/${agent.id}`)).toMatchObject({ runtime_bound: false, status: "offline", archived_at: null });
    expect(await server.ok("GET", `/api/autopilots/${String(pilot["id"])}`)).toMatchObject({ autopilot: { status: "paused" } });
    expect((await server.ok("GET", `/api/daemon/tasks/${task.taskId}/status`))["status"]).toBe("cancelled");
  });

  it("stays while a run of an agent that has moved away is still under way on it", async () => {
    const server = await testServer();
    const agent = await server.agent();
    const [, elsewhere = ""] = await server.runtimes("codex", "claude");
    const task = await server.startedIssue(agent);
    await server.ok("PUT", `/api/agents/${agent.id}`, { runtime_id: elsewhere });
    const refused = await server.call("DELETE", `/api/runtimes/${agent.runtimeId}`);
    expect([refused.status, refused.body["code"]]).toEqual([409, "runtime_delete_not_drained"]);
    await server.ok("POST", `/api/daemon/tasks/${task.taskId}/complete`, { output: "ok" });
    expect(await server.ok("DELETE", `/api/runtimes/${agent.runtimeId}`)).toEqual({ status: "ok" });
  });
});

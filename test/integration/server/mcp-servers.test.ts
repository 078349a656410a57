// server-api.md 13.2, 13.9.1: MCP servers of a workspace, which agents have them, and what a claim makes of it.
import { describe, expect, it } from "vitest";
import { uuid } from "../../../src/lib/core/index.ts";
import { type LiveServer, liveServer } from "../../support/live-server.ts";

const SECRET = "s3cr3t-of-the-server";

async function world() {
  const server = await liveServer();
  const runtime = await server.register();
  const agent = await server.agent(runtime);
  const list = `/api/workspaces/${server.workspaceId}/mcp-servers`;
  const add = async (name: string, config: object): Promise<string> => String((await server.post(list, { name, config }))["id"]);
  return { server, runtime, agent, list, add, own: `/api/agents/${agent}/mcp-servers` };
}

/** What the next run of the agent gets. */
async function claimed(server: LiveServer, agent: string, runtime: string): Promise<unknown> {
  const issue = await server.issue(agent);
  const [task] = await server.claim([runtime]);
  await server.post(`/api/tasks/${task?.id}/cancel`);
  await server.call("DELETE", `/api/issues/${issue}`);
  return (task?.["agent"] as Record<string, unknown>)["mcp_config"];
}

describe("the MCP servers of a workspace", () => {
  it("are added, changed and removed; what they start, and with what, is never answered", async () => {
    const { server, list } = await world();
    const made = await server.call("POST", list, { name: "docs", config: { url: "https://mcp.example.test", headers: { authorization: SECRET } } });
    const id = String(made.body["id"]);
    expect([made.status, made.body]).toEqual([201, { id, name: "docs", transport: "http", enabled: true }]);
    const changed = await server.call("PUT", `${list}/${id}`, { config: { command: "mcp-docs", env: { TOKEN: SECRET } } });
    expect(changed.body).toEqual({ id, name: "docs", transport: "stdio", enabled: true });
    expect((await server.call("PUT", `${list}/${id}`, { name: "papers" })).body).toMatchObject({ name: "papers", transport: "stdio" });
    await server.post(list, { name: "events", config: { type: "sse", url: "https://mcp.example.test" } });
    const all = await server.call("GET", list);
    expect(all.body).toMatchObject([{ name: "events", transport: "sse" }, { id, name: "papers" }]);
    expect([made.text, changed.text, all.text].filter((text) => text.includes(SECRET) || text.includes("example"))).toEqual([]);
    expect((await server.call("DELETE", `${list}/${id}`)).status).toBe(204);
    expect((await server.call("DELETE", `${list}/${id}`)).text).toBe('{"error":"mcp server not found"}\n');
  });

  it("are refused when nothing could start them, without a word of their configuration", async () => {
    const { server, list, add } = await world();
    await add("docs", { command: "x" });
    for (const [input, status, text] of [
      [{ config: { command: "x" } }, 400, "name is required"],
      [{ name: "a b", config: { command: "x" } }, 400, "name must be 1 to 64 letters"],
      [{ name: "__proto__", config: { command: "x" } }, 400, "name must be"],
      [{ name: "x", config: { headers: { a: SECRET } } }, 400, "config must have a command or a url"],
      [{ name: "x", config: SECRET }, 400, "invalid request body"],
      [{ name: "docs", config: { command: "y" } }, 409, "already exists in this workspace"],
    ] as const) {
      const answer = await server.call("POST", list, input);
      expect([answer.status, answer.text.includes(text), answer.text.includes(SECRET)], text).toEqual([status, true, false]);
    }
  });
});

describe("the MCP servers of an agent", () => {
  it("come with the claim while they are switched on, below those of the agent's own configuration", async () => {
    const { server, runtime, agent, add, own } = await world();
    const docs = { url: "https://mcp.example.test", headers: { authorization: SECRET } };
    const [a, b] = [await add("docs", docs), await add("time", { command: "mcp-time" })];
    expect(await claimed(server, agent, runtime)).toBeUndefined();
    expect((await server.call("POST", own, { server_id: a })).body).toEqual({ id: a, name: "docs", transport: "http", enabled: true });
    await server.post(own, { server_id: b });
    await server.post(own, { server_id: b });
    expect(await claimed(server, agent, runtime)).toEqual({ mcpServers: { docs, time: { command: "mcp-time" } } });
    expect((await server.call("PUT", `${own}/${a}/enabled`, { enabled: false })).body).toMatchObject({ id: a, enabled: false });
    expect(await claimed(server, agent, runtime)).toEqual({ mcpServers: { time: { command: "mcp-time" } } });
    await server.put(`/api/agents/${agent}`, { mcp_config: { mcpServers: { time: { command: "own-time" }, more: { command: "more" } } } });
    await server.put(`${own}/${a}/enabled`, { enabled: true });
    expect(await claimed(server, agent, runtime)).toEqual({ mcpServers: { docs, time: { command: "own-time" }, more: { command: "more" } } });
    for (const [config, expected] of [
      [{}, { mcpServers: { docs, time: { command: "mcp-time" } } }],
      // Of an unknown shape: the daemon says what is wrong with it.
      [{ servers: { x: { command: "x" } } }, { servers: { x: { command: "x" } } }],
      [{ mcpServers: [] }, { mcpServers: [] }],
    ]) {
      await server.put(`/api/agents/${agent}`, { mcp_config: config });
      expect(await claimed(server, agent, runtime)).toEqual(expected);
    }
    await server.put(`/api/agents/${agent}`, { mcp_config: null });
    expect((await server.call("DELETE", `${own}/${a}`)).status).toBe(204);
    await server.call("DELETE", `/api/workspaces/${server.workspaceId}/mcp-servers/${b}`);
    expect([(await server.call("GET", own)).body, await claimed(server, agent, runtime)]).toEqual([[], undefined]);
    for (const [method, path, body] of [["POST", own, { server_id: a.replace(/./, "f") }], ["PUT", `${own}/${a}/enabled`, { enabled: true }], ["DELETE", `${own}/${a}`, undefined]] as const) {
      expect((await server.call(method, path, body)).body["error"]).toBe("mcp server not found");
    }
  });

  it("are named to agents, but only people say what an agent starts", async () => {
    const { server, runtime, agent, list, add, own } = await world();
    const docs = await add("docs", { command: "x" });
    await server.post(own, { server_id: docs });
    await server.issue(agent);
    const [task] = await server.claim([runtime]);
    const token = { token: task?.auth_token ?? "" };
    await server.post(`/api/daemon/tasks/${task?.id}/start`);
    expect((await server.call("GET", own, undefined, token)).body).toEqual([{ id: docs, name: "docs", transport: "stdio", enabled: true }]);
    expect((await server.call("GET", list, undefined, token)).status).toBe(200);
    for (const [method, path, body] of [
      ["POST", list, { name: "mine", config: { command: "x" } }],
      ["PUT", `${list}/${docs}`, { config: { command: "y" } }],
      ["DELETE", `${list}/${docs}`, undefined],
      ["POST", own, { server_id: docs }],
      ["PUT", `${own}/${docs}/enabled`, { enabled: false }],
      ["DELETE", `${own}/${docs}`, undefined],
      ["POST", `/api/runtimes/${runtime}/unbind-agents-and-delete`, { expected_active_agent_ids: [agent] }],
      ["POST", "/api/workspaces", { name: "x", slug: "x" }],
    ] as const) {
      expect((await server.call(method, path, body, token)).status, `${method} ${path}`).toBe(403);
    }
    // Another workspace has neither the agent nor the server.
    const other = String((await server.post("/api/workspaces", { name: "Other", slug: "other" }))["id"]);
    const there = { headers: { "x-workspace-id": other } };
    expect((await server.call("POST", own, { server_id: docs }, there)).body["error"]).toBe("agent not found");
    expect((await server.call("PUT", `/api/workspaces/${other}/mcp-servers/${docs}`, { name: "x" })).body["error"]).toBe("mcp server not found");
    expect((await server.call("GET", `/api/workspaces/${uuid()}/mcp-servers`)).status).toBe(404);
  });
});

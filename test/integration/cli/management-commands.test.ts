// cli.md 5.6, 5.7, 5.12: workspaces, runtimes, and agents' copies, pictures and MCP servers, as they are typed. Real program, real server.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { uuid } from "../../../src/lib/core/index.ts";
import { answeringServer } from "../../support/answering-server.ts";
import { runCli } from "../../support/cli.ts";
import { cliWorld } from "../../support/cli-world.ts";
import { tempDir } from "../../support/temp.ts";

// Each test starts dozens of processes one after the other.
vi.setConfig({ testTimeout: 90_000 });

const SECRET = "s3cr3t-of-the-server";

interface Named {
  readonly id: string;
}

describe("workspaces and their MCP servers", () => {
  it("are made and changed; agents are given the servers, and no command shows what is in them", async () => {
    const { server, runtime, agent, person, claim } = await cliWorld();
    const made = await person.json<Named>(["workspace", "create", "--name", "Acme", "--slug", "acme", "--description", "One\\ntwo", "--context-stdin"], { input: "Be kind.\n" });
    expect(made).toMatchObject({ name: "Acme", slug: "acme", description: "One\ntwo", context: "Be kind.", issue_prefix: "ACME" });
    await person.fails(["workspace", "create", "--name", "x", "--slug", "acme"], 7, "already exists");
    await person.fails(["workspace", "update", "acme"], 2, "nothing to change");
    expect(await person.json(["workspace", "update", "acme", "--description", "", "--issue-prefix", "ac"])).toMatchObject({ id: made.id, description: "", context: "Be kind.", issue_prefix: "AC" });
    expect((await person.run(["workspace", "update", "--context", "Hi", "--output", "table"])).stdout).toMatch(/^ID: +\S+\nNAME: +local\n[^]*CONTEXT: +Hi\n$/);

    writeFileSync(join(person.cwd, "docs.json"), JSON.stringify({ url: "https://mcp.example.test", headers: { authorization: SECRET } }));
    const docs = await person.json<Named>(["workspace", "mcp", "add", "docs", "--server-config-file", "docs.json"]);
    expect(docs).toEqual({ id: docs.id, name: "docs", transport: "http", enabled: true });
    await person.fails(["workspace", "mcp", "add", "bad"], 2, "--server-config-stdin");
    expect(await person.json(["agent", "mcp", "add", agent, docs.id])).toEqual(docs);
    await server.issue(agent);
    const me = await claim();
    expect((await me.run(["agent", "mcp", "list", agent])).stdout).toMatch(/^ID +NAME +TRANSPORT +STATUS\n\S+ +docs +http +enabled\n$/);
    await me.fails(["agent", "mcp", "disable", agent, docs.id], 3, "no permission");
    expect((await person.run(["agent", "mcp", "disable", agent, docs.id])).stdout).toContain("disabled");
    expect(await person.json(["agent", "mcp", "enable", agent, docs.id])).toMatchObject({ enabled: true });
    expect(await person.json(["workspace", "mcp", "update", docs.id, "--name", "papers", "--server-config-stdin"], { input: '{"command":"mcp-papers"}' })).toMatchObject({ name: "papers", transport: "stdio" });
    await server.issue(agent, "Second");
    await server.post(`/api/daemon/tasks/${me.taskId}/complete`, { output: "ok" });
    const [task] = await server.claim([runtime]);
    expect(task?.["agent"]).toMatchObject({ mcp_config: { mcpServers: { papers: { command: "mcp-papers" } } } });
    expect(await person.json(["agent", "mcp", "remove", agent, docs.id])).toEqual({ agent_id: agent, id: docs.id, removed: true });
    await person.fails(["agent", "mcp", "enable", agent, docs.id], 4, "mcp server not found");
    expect((await person.run(["workspace", "mcp", "remove", docs.id])).stderr).toContain("Removed MCP server");
    expect(await person.json(["workspace", "mcp", "list"])).toEqual([]);
  });
});

describe("agents", () => {
  it("are copied without what may be secret, and get a picture", async () => {
    const { server, runtime, agent, person } = await cliWorld();
    const other = await server.register({ name: "Claude", type: "claude", version: "1", status: "online" });
    const skill = await server.post<Named>("/api/skills", { name: "deploy" });
    const facts = { instructions: "Be brief.", model: "m1", service_tier: "fast", custom_args: ["--x"], max_concurrent_tasks: 3, custom_env: { A: SECRET }, mcp_config: { mcpServers: {} }, runtime_config: { a: 1 }, skill_ids: [skill.id] };
    const source = await server.agent(runtime, "Source", { ...facts, visibility: undefined, permission_mode: "public_to", invocation_targets: [{ target_type: "workspace" }] });
    const copy = await person.json<Named>(["agent", "copy", source]);
    expect(copy).toMatchObject({ name: "Source (copy)", runtime_id: runtime, instructions: "Be brief.", model: "m1", service_tier: "fast", custom_args: ["--x"], max_concurrent_tasks: 3 });
    expect(copy).toMatchObject({ permission_mode: "public_to", invocation_targets: [{ target_type: "workspace" }], skills: [{ id: skill.id }], has_custom_env: false, mcp_config: null, runtime_config: {} });
    await person.fails(["agent", "copy", source, "--runtime-id", ""], 2, "--runtime-id is empty");
    await person.fails(["agent", "copy", source, "--max-concurrent-tasks", "51"], 2, "from 1 to 50");
    const away = await person.json<Named>(["agent", "copy", source, "--name", "Away", "--runtime-id", other, "--model", "", "--no-skills", "--visibility", "private", "--mcp-config-stdin"], { input: `{"mcpServers":{"a":{"url":"${SECRET}"}}}` });
    expect(away).toMatchObject({ name: "Away", runtime_id: other, model: "", service_tier: "", permission_mode: "private", skills: [], mcp_config: null, mcp_config_redacted: true });
    expect(await server.get(`/api/agents/${away.id}`)).toMatchObject({ mcp_config: { mcpServers: { a: { url: SECRET } } } });
    expect((await person.run(["agent", "list", "--json"])).stdout).not.toContain(SECRET);
    expect(await person.json(["agent", "update", copy.id, "--mcp-config", "null", "--service-tier", "", "--runtime-config", '{"b":2}'])).toMatchObject({ service_tier: "", runtime_config: { b: 2 } });
    await person.fails(["agent", "update", copy.id], 2, "agent env set");

    writeFileSync(join(person.cwd, "me.PNG"), "x");
    const picture = await person.json<{ avatar_url: string }>(["agent", "avatar", agent, "--file", "me.PNG"]);
    expect(picture).toMatchObject({ agent_id: agent });
    expect(await server.get(`/api/agents/${agent}`)).toMatchObject({ avatar_url: picture.avatar_url });
    expect((await fetch(server.url + picture.avatar_url, { headers: { authorization: `Bearer ${server.token}` } })).status).toBe(200);
    await person.fails(["agent", "avatar", uuid(), "--file", "me.PNG"], 4, "agent not found");
  });
});

describe("runtimes", () => {
  it("show what they did and spent, take a name, and go with their agents only when told to", async () => {
    const { server, runtime, agent, person, claim } = await cliWorld();
    await server.issue(agent);
    const me = await claim();
    const counts = { input_tokens: 10, output_tokens: 20, cache_read_tokens: 3, cache_write_tokens: 4 };
    await server.post(`/api/daemon/tasks/${me.taskId}/usage`, { usage: [{ provider: "codex", model: "gpt", ...counts }] });
    expect((await me.run(["runtime", "usage", runtime])).stdout).toMatch(/^DATE +PROVIDER +MODEL +INPUT_TOKENS +OUTPUT_TOKENS +CACHE_READ +CACHE_WRITE\n\S+ +codex +gpt +10 +20 +3 +4\n$/);
    expect(await person.json(["runtime", "usage", runtime, "--days", "1"])).toMatchObject([{ runtime_id: runtime, ...counts }]);
    expect((await person.run(["runtime", "activity", runtime])).stdout).toMatch(/^HOUR +COUNT\n\d+ +1\n$/);
    const renamed = await person.run(["runtime", "rename", runtime, "Desk", "--machine"]);
    expect([renamed.code, renamed.stdout, renamed.stderr]).toEqual([0, "", `Runtime ${runtime} is now called Desk.\n`]);
    expect((await person.run(["runtime", "list"])).stdout).toContain("Desk");
    expect(await person.json(["runtime", "rename", runtime, ""])).toMatchObject({ custom_name: null });
    await me.fails(["runtime", "delete", runtime, "--cascade"], 3, "no permission");
    const update = ["runtime", "update", runtime, "--target-version", "1.2.3"];
    expect(await person.json(update)).toMatchObject({ runtime_id: runtime, target_version: "1.2.3", status: "pending" });
    await person.fails([...update, "--wait"], 7, "already in progress");
    await person.fails(["runtime", "delete", runtime], 7, `Dev (${agent})`);
    expect(await person.json(["runtime", "delete", runtime, "--cascade"])).toEqual({ id: runtime, deleted: true, agents_unbound: 1, autopilots_paused: 0, tasks_cancelled: 1 });
  });
});

describe("another server", () => {
  it("may be older, and may answer more than anybody should see", async () => {
    const [workspace, id, agent] = [uuid(), uuid(), uuid()];
    const row = { id, name: "docs", transport: "http", enabled: false, url: "https://mcp.example.test", headers: { authorization: SECRET }, env: { TOKEN: SECRET } };
    const list = `/api/workspaces/${workspace}/mcp-servers`;
    const server = await answeringServer({
      [`DELETE /api/runtimes/${id}`]: { status: 409, body: { error: "agents", code: "runtime_has_active_agents", active_agents: [{ id: agent, name: "Dev" }] } },
      [`POST /api/runtimes/${id}/unbind-agents-and-delete`]: { status: 405 },
      [`POST /api/runtimes/${id}/archive-agents-and-delete`]: { body: { agents_archived: 1, tasks_cancelled: 2 } },
      [`PATCH /api/runtimes/${id}`]: { status: 405 },
      [`GET ${list}`]: { body: { mcp_servers: [row] } },
      [`POST ${list}`]: { body: row },
      "POST /api/workspaces": { status: 201, body: { id, name: "x", slug: "x" } },
      [`GET /api/agents/${agent}`]: { body: { id: agent, name: "Dev" } },
      "POST /api/upload-file": { body: { id, url: "/files/1", filename: "a.png" } },
      [`PUT /api/agents/${agent}`]: { body: {} },
    });
    const home = tempDir();
    writeFileSync(join(home, "a.png"), "x");
    const env = { MULTICA_TOKEN: "mul_x", MULTICA_SERVER_URL: server.url, MULTICA_WORKSPACE_ID: workspace };
    const run = (...args: string[]) => runCli(args, { home, env });
    expect((await run("runtime", "delete", id, "--cascade")).stderr).toBe(`Deleted runtime ${id}. agents archived: 1, tasks cancelled: 2.\n`);
    expect(server.seen.at(-1)?.body).toEqual({ expected_active_agent_ids: [agent] });
    expect((await run("runtime", "rename", id, "x")).code).toBe(4);
    const shown = await Promise.all([run("workspace", "mcp", "list", "--json"), run("workspace", "mcp", "add", "docs", "--server-config", '{"command":"x"}', "--output", "table")]);
    for (const { code, stdout } of shown) expect([code, stdout.includes("docs"), /s3cr3t|example/.test(stdout)]).toEqual([0, true, false]);
    await run("workspace", "create", "--name", "x", "--slug", "x");
    await run("agent", "avatar", agent, "--file", "a.png");
    const unscoped = server.seen.filter((one) => one.path === "/api/workspaces" || one.path === "/api/upload-file");
    expect(unscoped.map((one) => one.headers["x-workspace-id"])).toEqual([undefined, undefined]);
    expect(server.seen.at(-1)?.body).toEqual({ avatar_url: "/files/1" });
  });
});

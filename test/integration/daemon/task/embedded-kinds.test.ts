import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runTask } from "../../../../src/lib/daemon/task/handle.ts";
import { DAEMON_CAPABILITIES, type Task, taskSchema } from "../../../../src/lib/wire/index.ts";
import { liveServer } from "../../../support/live-server.ts";
import { taskDaemon } from "../../../support/task-daemon.ts";
import { waitFor } from "../../../support/wait.ts";

const CAPABLE = { headers: { "x-client-capabilities": DAEMON_CAPABILITIES.join(",") } };

/** The embedded server, an agent on it, and this test's daemon that works for it. */
async function world(agent = "acp-happy", outbox = false) {
  const server = await liveServer();
  const runtimeId = await server.register();
  const daemon = await taskDaemon({ agent, outbox, live: { url: server.url, token: server.token, workspaceId: server.workspaceId, runtimeId } });
  const agentId = await server.agent(runtimeId);
  /** Claims the one task there is and takes it through the pipeline. */
  const work = async (): Promise<Task> => {
    const { tasks } = await server.post<{ tasks: unknown[] }>("/api/daemon/tasks/claim", { daemon_id: "D", runtime_ids: [runtimeId], max_tasks: 5 }, CAPABLE);
    expect(tasks).toHaveLength(1);
    const task = daemon.claimed(taskSchema.parse(tasks[0]));
    await runTask(daemon.ctx, task, 1);
    return task;
  };
  const workdir = (task: Task): string => daemon.state?.getTask(task.id)?.work_dir ?? "";
  const read = (task: Task, path: string): string => readFileSync(join(workdir(task), path), "utf8");
  return { server, daemon, agentId, work, workdir, read };
}

describe("the embedded server's tasks that are no issue", () => {
  it("a chat is answered, and its next message continues in the same directory and session", async () => {
    const { server, daemon, agentId, work, workdir, read } = await world();
    const { id } = await server.post<{ id: string }>("/api/chat/sessions", { agent_id: agentId });
    await server.post(`/api/chat/sessions/${id}/messages`, { content: "what is up?" });
    const first = await work();
    expect(read(first, "agent-prompt.txt")).toContain("> what is up?");
    await server.post(`/api/chat/sessions/${id}/messages`, { content: "and now?" });
    const second = await work();
    expect(workdir(second)).toBe(workdir(first));
    expect(daemon.log()).toContain("resuming session");
    const messages = await server.get<{ role: string; content: string }[]>(`/api/chat/sessions/${id}/messages`);
    expect(messages.map((message) => [message.role, message.content])).toEqual([
      ["user", "what is up?"],
      ["assistant", "all done"],
      ["user", "and now?"],
      ["assistant", "all done"],
    ]);
  });

  it("a chat turn that its person cancels keeps the words the agent had and those it ended with", async () => {
    const { server, daemon, agentId, work } = await world("acp-billed", true);
    const { id } = await server.post<{ id: string }>("/api/chat/sessions", { agent_id: agentId });
    const { task_id: turn } = await server.post<{ task_id: string }>(`/api/chat/sessions/${id}/messages`, { content: "what is up?" });
    const done = work();
    await waitFor("the agent's first words", async () => (await server.get<unknown[]>(`/api/tasks/${turn}/messages`)).length > 0);
    await server.post(`/api/tasks/${turn}/cancel`);
    daemon.ctx.reconcile.broadcast();
    await done;
    const messages = await server.get<{ role: string; content: string; failure_reason: string | null }[]>(`/api/chat/sessions/${id}/messages`);
    expect(messages).toMatchObject([{ content: "what is up?" }, { role: "assistant", failure_reason: "cancelled", content: expect.stringMatching(/stopping$/) }]);
  });

  it("an autopilot's run ends with the agent's last words", async () => {
    const { server, agentId, work, read } = await world();
    const { id } = await server.post<{ id: string }>("/api/autopilots", { title: "Nightly", description: "Check the links.", assignee_type: "agent", assignee_id: agentId, execution_mode: "run_only" });
    const run = await server.post<{ id: string }>(`/api/autopilots/${id}/trigger`, { payload: { by: "hand" } });
    const task = await work();
    expect(read(task, "agent-prompt.txt")).toMatch(/> Check the links\./);
    expect(JSON.parse(read(task, "agent-env.json"))).toMatchObject({ MULTICA_AUTOPILOT_ID: id, MULTICA_AUTOPILOT_RUN_ID: run.id });
    const runs = await server.get<{ id: string; status: string }[] | { runs: { id: string; status: string }[] }>(`/api/autopilots/${id}/runs`);
    expect(Array.isArray(runs) ? runs : runs.runs).toEqual([expect.objectContaining({ id: run.id, status: "completed" })]);
  });

  it("a quick create whose agent made no issue is told as such, with what the agent said", async () => {
    const { server, agentId, work, read } = await world();
    await server.post("/api/issues/quick-create", { agent_id: agentId, prompt: "the login is slow", priority: "high" });
    const task = await work();
    expect(read(task, "agent-prompt.txt")).toMatch(/> the login is slow[^]*--priority high/);
    expect(await server.get("/api/inbox")).toMatchObject([{ type: "quick_create_failed", body: "all done" }]);
  });
});

describe("the embedded server's tasks of an issue", () => {
  it("a squad's leader is told to lead", async () => {
    const { server, agentId, work, read } = await world();
    const { id: squad } = await server.post<{ id: string }>("/api/squads", { name: "Core", leader_id: agentId });
    await server.post("/api/issues", { title: "Do it", assignee_type: "squad", assignee_id: squad });
    const task = await work();
    expect(read(task, "agent-prompt.txt")).toContain(`multica squad activity ${task.issue_id} no_action`);
  });

  it("brings the workspace's MCP servers that its agent was given; what they hold is in no log and not in the state file", async () => {
    const { server, daemon, agentId, work, read } = await world();
    const secret = "s3cr3t-of-the-server";
    const { id } = await server.post<{ id: string }>(`/api/workspaces/${server.workspaceId}/mcp-servers`, { name: "docs", config: { command: "mcp-docs", env: { DOCS_TOKEN: secret } } });
    await server.post(`/api/agents/${agentId}/mcp-servers`, { server_id: id });
    await server.issue(agentId);
    const task = await work();
    expect(JSON.parse(read(task, "agent-session.json"))).toMatchObject({ mcpServers: [{ name: "docs", command: "mcp-docs", env: [{ name: "DOCS_TOKEN", value: secret }] }] });
    const kept = readdirSync(daemon.home, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile() && /\.sqlite|\.db|\.log/.test(entry.name));
    expect(kept.map((entry) => entry.name)).toEqual(expect.arrayContaining(["daemon.log", "state_1.sqlite", "state_1.sqlite-wal"]));
    for (const { parentPath, name } of kept) expect([name, readFileSync(join(parentPath, name)).includes(secret)]).toEqual([name, false]);
  });

  it("brings its skills by reference; one that is edited meanwhile comes as it is now", async () => {
    const { server, daemon, agentId, work, read } = await world();
    const { id } = await server.post<{ id: string }>("/api/skills", { name: "deploy", content: "# Deploy\n", files: [{ path: "scripts/run.sh", content: "echo 1\n" }] });
    await server.put(`/api/agents/${agentId}/skills`, { skill_ids: [id] });
    await server.issue(agentId);
    const first = await work();
    expect(first.agent?.skills).toBeUndefined();
    expect(read(first, ".agents/skills/deploy/scripts/run.sh")).toBe("echo 1\n");
    expect(read(first, ".agents/skills/deploy/SKILL.md")).toContain("# Deploy");
    await server.issue(agentId, "Again");
    await work();
    expect(daemon.log().match(/skill bundle fetched/g)).toHaveLength(1);
    await server.put(`/api/skills/${id}`, { content: "# Deploy twice\n" });
    await server.issue(agentId, "Once more");
    expect(read(await work(), ".agents/skills/deploy/SKILL.md")).toContain("# Deploy twice");
    expect(daemon.log().match(/skill bundle fetched/g)).toHaveLength(2);
  });
});

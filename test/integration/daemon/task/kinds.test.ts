import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runTask } from "../../../../src/lib/daemon/task/handle.ts";
import type { Task } from "../../../../src/lib/wire/index.ts";
import { picture } from "../../../support/local-tasks.ts";
import { type TaskDaemon, taskDaemon } from "../../../support/task-daemon.ts";
import { tempDir } from "../../../support/temp.ts";
import { waitFor } from "../../../support/wait.ts";

interface Ran {
  readonly daemon: TaskDaemon;
  readonly task: Task;
  readonly workdir: string;
  readonly prompt: string;
  readonly env: Record<string, string>;
  /** Text of a file in the workdir. */
  readonly file: (path: string) => string;
  readonly gcMeta: unknown;
}

async function ran(fields: Partial<Task>): Promise<Ran> {
  const daemon = await taskDaemon({ agent: "acp-happy" });
  const task = daemon.task(fields);
  await runTask(daemon.ctx, task, 1);
  expect(daemon.server.bodies("complete")).toEqual([expect.objectContaining({ output: "all done" })]);
  const workdir = String(daemon.server.bodies("complete")[0]?.["work_dir"]);
  const file = (path: string): string => readFileSync(join(workdir, path), "utf8");
  return {
    daemon,
    task,
    workdir,
    file,
    prompt: file("agent-prompt.txt"),
    env: JSON.parse(file("agent-env.json")) as Record<string, string>,
    gcMeta: JSON.parse(file("../.gc_meta.json")),
  };
}

const chat = { issue_id: "", chat_session_id: "chat-1", chat_message: "what is up?" };
const autopilot = { issue_id: "", autopilot_run_id: "run-1", autopilot_id: "ap-1", autopilot_title: "Nightly", autopilot_description: "Check links.", autopilot_trigger_payload: { a: 1 } };

describe("a chat task", () => {
  it("has a chat's prompt, brief, marker and metadata", async () => {
    const { prompt, file, gcMeta, env } = await ran(chat);
    expect(prompt).toMatch(/## How to answer/);
    expect(prompt).toMatch(/You are a chat assistant/);
    expect(prompt).toContain("> what is up?");
    expect(prompt).not.toContain("--parent c");
    expect(JSON.parse(file(".multica/daemon_task_context.json"))).toMatchObject({ chat_session_id: "chat-1", agent_id: "a" });
    expect(file(".agent_context/issue_context.md")).toContain("Chat session: chat-1");
    expect(gcMeta).toMatchObject({ kind: "chat", chat_session_id: "chat-1" });
    expect(env).not.toHaveProperty("MULTICA_AUTOPILOT_RUN_ID");
    expect(env).not.toHaveProperty("MULTICA_QUICK_CREATE_TASK_ID");
  });

  it("continues in the directory and the session of the turn before", async () => {
    const { daemon, workdir } = await ran(chat);
    daemon.server.state = "dispatched";
    await runTask(daemon.ctx, daemon.task({ ...chat, chat_message: "and now?", prior_session_id: "acp-session-1", prior_work_dir: workdir }), 1);
    expect(daemon.server.bodies("complete")[1]).toMatchObject({ work_dir: workdir });
    expect(daemon.log()).toMatch(/resuming session/);
    const prompt = readFileSync(join(workdir, "agent-prompt.txt"), "utf8");
    expect(prompt).toContain("> and now?");
    expect(prompt).not.toMatch(/could not be restored/);
  });

  it("is told once that its session is lost when the directory is another one (K-17)", async () => {
    const { prompt } = await ran({ ...chat, prior_session_id: "acp-session-1", prior_work_dir: "/gone/workdir" });
    expect(prompt.match(/could not be restored/g)).toHaveLength(1);
  });

  it("that asks for quick actions is completed with nothing, and no agent runs", async () => {
    const daemon = await taskDaemon({ agent: "acp-happy" });
    await runTask(daemon.ctx, daemon.task({ ...chat, regenerate_quick_actions_for: "m1" }), 1);
    expect(daemon.server.bodies("complete")).toEqual([expect.objectContaining({ output: "" })]);
    expect(daemon.log()).not.toMatch(/starting agent/);
  });

  it("starts at once in a directory where another task works, knows that it shares it, and puts nothing there (K-13)", async () => {
    const daemon = await taskDaemon({ agent: "acp-mute" });
    const base = tempDir("multica-user-");
    writeFileSync(join(base, "AGENTS.md"), "mine");
    const local = { project_resources: [{ id: "1", resource_type: "local_directory", resource_ref: { daemon_id: "d", local_path: base, label: "p" } }] };
    const first = runTask(daemon.ctx, daemon.task(local), 1);
    await waitFor("the first agent", () => daemon.ctx.counters.running === 1);
    const before = picture(base);
    daemon.server.state = "dispatched";
    const talker = await taskDaemon({ agent: "acp-happy" });
    const skills = [{ id: "k", name: "deploy", content: "Do it." }];
    await runTask(talker.ctx, talker.task({ ...chat, ...local, agent: { id: "a", name: "Dev", skills } }), 2);
    expect(talker.server.bodies("wait-local-directory")).toEqual([]);
    expect(talker.server.bodies("complete")).toEqual([expect.objectContaining({ work_dir: base })]);
    const prompt = readFileSync(join(base, "agent-prompt.txt"), "utf8");
    expect(prompt).toMatch(/## A directory you share/);
    expect(prompt).toMatch(/## How to answer/);
    const place = /described in `(.*)\/<name>\/SKILL\.md`/.exec(prompt)?.[1] ?? "";
    expect(readFileSync(join(place, "deploy", "SKILL.md"), "utf8")).toContain("Do it.");
    const record: unknown = JSON.parse(readFileSync(join(place, "../../../.multica_env.json"), "utf8"));
    expect(record).toMatchObject({ execution_mode: "shared", local_work_dir: null });
    const after = Object.entries(picture(base)).filter(([path]) => !path.includes("/agent-"));
    expect(Object.fromEntries(after)).toEqual(before);
    daemon.shutdown.abort(new Error("shutdown"));
    await first;
    expect(readFileSync(join(base, "AGENTS.md"), "utf8")).toBe("mine");
  });
});

describe("a chat in a user's directory, with an agent that reads its brief from a file", () => {
  it("gets the brief with the message instead, and its next turn continues the session there (K-17)", async () => {
    const daemon = await taskDaemon({ agent: "codex-models", provider: "codex" });
    const day = join(daemon.home, ".codex", "sessions", "2026", "01", "01");
    mkdirSync(day, { recursive: true });
    writeFileSync(join(day, "rollout-2026-01-01T00-00-00-thread-fixture.jsonl"), "{}\n");
    const base = tempDir("multica-user-");
    const local = { project_resources: [{ id: "1", resource_type: "local_directory", resource_ref: { daemon_id: "d", local_path: base } }] };
    const turn = async (more: Partial<Task>): Promise<string> => {
      daemon.server.state = "dispatched";
      await runTask(daemon.ctx, daemon.task({ ...chat, ...local, ...more }), 1);
      const { input } = JSON.parse(readFileSync(join(base, "agent-turn.json"), "utf8")) as { input: { text: string }[] };
      return input[0]?.text ?? "";
    };
    const first = await turn({});
    expect(first).toMatch(/^# You work inside Multica[^]*## How to answer[^]*You are a chat assistant/);
    expect(readdirSync(base)).toEqual(["agent-turn.json"]);
    expect(daemon.server.bodies("complete")).toEqual([expect.objectContaining({ session_id: "thread-fixture", work_dir: base })]);
    const second = await turn({ prior_session_id: "thread-fixture", prior_work_dir: base });
    expect(second).not.toMatch(/could not be restored/);
    expect(daemon.log()).toContain("resuming session");
    expect(readdirSync(base)).toEqual(["agent-turn.json"]);
  });
});

describe("a run of an autopilot", () => {
  it("has its prompt, brief, context file, variables and metadata", async () => {
    const { prompt, file, gcMeta, env, task } = await ran(autopilot);
    expect(prompt).toMatch(/## How to work on this autopilot run/);
    expect(prompt).toContain("> Check links.");
    expect(prompt).toContain("multica autopilot get ap-1 --output json");
    expect(file(".agent_context/issue_context.md")).toMatch(/autopilot run run-1[^]*"a": 1/);
    expect(gcMeta).toMatchObject({ kind: "autopilot_run", autopilot_run_id: "run-1" });
    expect(env).toMatchObject({ MULTICA_AUTOPILOT_RUN_ID: "run-1", MULTICA_AUTOPILOT_ID: "ap-1", MULTICA_TASK_ID: task.id });
  });
});

describe("a quick-create task", () => {
  it("has one command, its variables, and metadata that ask about the task", async () => {
    const { prompt, file, gcMeta, env, task } = await ran({ issue_id: "", quick_create_prompt: "login fails", quick_create_attachment_ids: ["u1", "u2"] });
    expect(prompt).toMatch(/## How to create the issue/);
    expect(prompt).toContain("> login fails");
    expect(prompt).not.toContain("multica issue status");
    expect(file(".agent_context/issue_context.md")).toContain("> login fails");
    expect(gcMeta).toMatchObject({ kind: "quick_create", task_id: task.id });
    expect(env).toMatchObject({ MULTICA_QUICK_CREATE_TASK_ID: task.id, MULTICA_QUICK_CREATE_ATTACHMENT_IDS: '["u1","u2"]' });
  });
});

describe("a squad leader's task", () => {
  it("has the leader's rules in brief and prompt", async () => {
    const { prompt } = await ran({ leader_role_resolved: true, is_leader_task: true, squad_id: "sq" });
    expect(prompt).toContain('multica squad activity i1 no_action --reason "…"');
    expect(prompt).toMatch(/You lead a squad here\. Handing work out is not delivering it/);
  });
});

describe("a task whose prompt cannot be built", () => {
  it("is failed with the defect's words, and gives everything back (K-41)", async () => {
    const daemon = await taskDaemon({ agent: "acp-happy" });
    const broken = [null] as unknown as NonNullable<Task["chat_message_attachments"]>;
    await runTask(daemon.ctx, daemon.task({ ...chat, chat_message_attachments: broken }), 1);
    expect(daemon.server.order()).toEqual(["start", "fail"]);
    expect(daemon.server.bodies("fail")).toEqual([expect.objectContaining({ failure_reason: "agent_error.unknown", error: expect.stringContaining("null") as string })]);
    expect(daemon.ctx.activeRoots.list()).toEqual([]);
    expect(daemon.ctx.credentials.size).toBe(0);
  });
});

describe("an agent with MCP servers of its own", () => {
  it("gets exactly these with its session, and the services they reach in its prompt", async () => {
    const daemon = await taskDaemon({ agent: "acp-happy" });
    const agent = { id: "a", name: "Dev", mcp_config: { mcpServers: { apps: { command: "apps", args: ["--go"] } } } };
    await runTask(daemon.ctx, daemon.task({ agent, connected_apps: [{ toolkit_slug: "gmail", server_name: "apps" }] }), 1);
    const workdir = String(daemon.server.bodies("complete")[0]?.["work_dir"]);
    expect(JSON.parse(readFileSync(join(workdir, "agent-session.json"), "utf8"))).toMatchObject({ mcpServers: [{ name: "apps", command: "apps", args: ["--go"], env: [] }] });
    expect(readFileSync(join(workdir, "agent-prompt.txt"), "utf8")).toContain("`gmail`): MCP server `apps`");
  });

  it("is failed when they cannot be read: without them it would be another agent", async () => {
    const daemon = await taskDaemon({ agent: "acp-happy" });
    await runTask(daemon.ctx, daemon.task({ agent: { id: "a", name: "Dev", mcp_config: { mcpServers: 3 } } }), 1);
    expect(daemon.server.bodies("fail")).toEqual([expect.objectContaining({ error: expect.stringContaining("invalid mcp_config") as string })]);
  });
});

import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { parse } from "smol-toml";
import { describe, expect, it } from "vitest";
import { runTask } from "../../../../src/lib/daemon/task/handle.ts";
import { type TaskDaemon, taskDaemon } from "../../../support/task-daemon.ts";

const mcp = { mcpServers: { ours: { command: "a-server", env: { TOKEN: "hidden-value" } } } };
const agent = (more: Record<string, unknown>) => ({ agent: { id: "a", name: "Dev", ...more } });

/** The configuration of the only environment of this daemon. */
function configOf(daemon: TaskDaemon): Record<string, unknown> {
  const workspace = join(daemon.ctx.config.workspacesRoot, "w");
  const root = readdirSync(workspace).find((name) => !name.startsWith(".")) ?? "";
  return parse(readFileSync(join(workspace, root, "codex-home", "config.toml"), "utf8"));
}

describe("what an agent's record says about its Codex", () => {
  it("is in the home before the agent starts: exactly its servers, and the skills that are switched off", async () => {
    const daemon = await taskDaemon({ agent: "codex-happy", provider: "codex" });
    const disabled = [{ provider: "codex", root: "provider", key: "noisy" }, { provider: "claude", root: "provider", key: "not-ours" }];
    await runTask(daemon.ctx, daemon.task(agent({ mcp_config: mcp, disabled_runtime_skills: disabled, custom_args: ["-c", "mcp_servers.mine.command=x"] })), 1);
    expect(daemon.server.state).toBe("completed");
    const config = configOf(daemon);
    expect(config["mcp_servers"]).toEqual({ ours: { command: "a-server", env: { TOKEN: "hidden-value" } } });
    expect(config["skills"]).toEqual({ config: [{ path: expect.stringMatching(/codex-home\/skills\/noisy\/SKILL\.md$/) as unknown, enabled: false }] });
    expect(config["shell_environment_policy"]).toBeUndefined();
    expect(daemon.log()).not.toContain("hidden-value");
  });

  it("fails the task by name when its servers cannot be written, and no agent starts", async () => {
    const daemon = await taskDaemon({ agent: "codex-happy", provider: "codex" });
    await runTask(daemon.ctx, daemon.task(agent({ mcp_config: { mcpServers: { "a b": { command: "x" } } } })), 1);
    expect(daemon.server.bodies("fail")).toEqual([expect.objectContaining({ error: expect.stringContaining("mcp_config") as unknown })]);
    expect(daemon.server.bodies("start")).toEqual([]);
  });

  it("names the variables for its commands when the daemon is told to", async () => {
    const daemon = await taskDaemon({ agent: "codex-happy", provider: "codex", env: { MULTICA_CODEX_SHELL_ENVIRONMENT: "on", SOME_API_KEY: "k", LANG: "C" } });
    await runTask(daemon.ctx, daemon.task(agent({ custom_env: { OWNERS_SECRET: "s" } })), 1);
    const policy = configOf(daemon)["shell_environment_policy"] as { include_only: string[] };
    expect(policy.include_only).toEqual(expect.arrayContaining(["CODEX_HOME", "LANG", "MULTICA_TASK_ID", "MULTICA_TOKEN", "OWNERS_SECRET", "PATH", "TMPDIR"]));
    expect(policy.include_only).not.toContain("SOME_API_KEY");
  });
});

import { describe, expect, it } from "vitest";
import { type AgentEnvInput, buildAgentEnv, secretsOf } from "../../../../src/lib/daemon/task/agent-env.ts";

const input: AgentEnvInput = {
  path: "/usr/bin",
  taskToken: "mat_1",
  serverUrl: "http://127.0.0.1:1",
  localPort: 19514,
  workspaceId: "w",
  agentId: "a",
  agentName: "Dev",
  taskId: "t",
  slot: 2,
  tempDir: "/tmp/multica-task-1",
  launcherDir: "/state/bin",
  environment: { CODEX_HOME: "/env/codex-home", MULTICA_REPO_CHECKOUT_MODE: "isolated" },
  work: {},
  customEnv: {},
};

describe("buildAgentEnv", () => {
  it("gives the agent its identity, our own command first on PATH, and the environment's homes", () => {
    expect(buildAgentEnv(input)).toEqual({
      refused: [],
      env: {
        MULTICA_TOKEN: "mat_1",
        MULTICA_SERVER_URL: "http://127.0.0.1:1",
        MULTICA_DAEMON_PORT: "19514",
        MULTICA_WORKSPACE_ID: "w",
        MULTICA_AGENT_NAME: "Dev",
        MULTICA_AGENT_ID: "a",
        MULTICA_TASK_ID: "t",
        MULTICA_TASK_SLOT: "2",
        TMPDIR: "/tmp/multica-task-1",
        TMP: "/tmp/multica-task-1",
        TEMP: "/tmp/multica-task-1",
        PATH: "/state/bin:/usr/bin",
        CODEX_HOME: "/env/codex-home",
        MULTICA_REPO_CHECKOUT_MODE: "isolated",
      },
    });
  });

  it("lets only harmless custom variables through (K-20)", () => {
    const blocked = ["PATH", "multica_token", "MULTICA_X", "Home", "USER", "SHELL", "TERM", "CODEX_HOME", "tmpdir", "TMP", "TEMP"];
    const more = ["CURSOR_DATA_DIR", "OPENCLAW_CONFIG_PATH", "OPENCLAW_INCLUDE_ROOTS", "REASONIX_STATE_HOME", "CURSOR_MCP_AUTH_SOURCE"];
    const customEnv = Object.fromEntries([...blocked, ...more].map((name) => [name, "evil"]));
    const { env, refused } = buildAgentEnv({ ...input, customEnv: { ...customEnv, FOO: "bar", NUL: "a\0b", "A=B": "x" } });
    expect([...refused].sort()).toEqual([...blocked, ...more, "NUL", "A=B"].sort());
    expect(env["FOO"]).toBe("bar");
    expect(Object.values(env)).not.toContain("evil");
    expect(env["PATH"]).toBe("/state/bin:/usr/bin");
  });
});

describe("secretsOf", () => {
  it("names the token and what hides behind secret-looking names", () => {
    expect(secretsOf("mat_1", { custom_env: { OPENAI_API_KEY: "k", DB_PASSWORD: "p", COLOR: "red" } })).toEqual(["mat_1", "k", "p"]);
    const mcp_config = { mcpServers: { a: { command: "a", env: { A_TOKEN: "t", A_MODE: "fast" } }, b: { url: "u", headers: { "X-Any": "h" } }, c: 3, d: { url: "u", http_headers: { "X-Any": "i" } } } };
    expect(secretsOf("mat_1", { mcp_config })).toEqual(["mat_1", "t", "h", "i"]);
    expect(secretsOf("mat_1", { mcp_config: JSON.stringify(mcp_config) })).toEqual(["mat_1", "t", "h", "i"]);
    for (const odd of [null, "no json", { mcpServers: [] }, 3]) expect(secretsOf("mat_1", { mcp_config: odd })).toEqual(["mat_1"]);
  });
});

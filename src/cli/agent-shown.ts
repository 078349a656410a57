import type { Agent } from "../lib/wire/agents.ts";

/**
 * The agent as lists and confirmations show it: without its MCP configuration, which may hold credentials and would end up
 * in logs. Who manages the agent reads it with `agent get`.
 */
export function withoutMcpConfig(agent: Agent): Agent {
  const config = agent["mcp_config"];
  return config === undefined || config === null ? agent : { ...agent, mcp_config: null, mcp_config_redacted: true };
}

import { isObject, parseJson } from "../../../core/index.ts";
import { all, one, run } from "../../db/query.ts";
import { notFound } from "../../http-error.ts";
import { type AgentRow, type McpServerRow, objectColumn } from "../../rows/index.ts";
import type { Tx } from "../../transaction.ts";

export type AgentMcpServerRow = McpServerRow & { readonly enabled: number };

const SELECT = "SELECT s.*, g.enabled FROM agent_mcp_server g JOIN mcp_server s ON s.id = g.server_id WHERE g.agent_id = :agentId";

/** The workspace's servers that an agent was given, by name (server-api.md 13.9.1). */
export function agentMcpServers(db: Tx["db"], agentId: string): AgentMcpServerRow[] {
  return all<AgentMcpServerRow>(db, `${SELECT} ORDER BY s.name`, { agentId });
}

/** One of them; 404 `mcp server not found`. */
export function agentMcpServer(db: Tx["db"], agentId: string, serverId: string): AgentMcpServerRow {
  const row = one<AgentMcpServerRow>(db, `${SELECT} AND g.server_id = :serverId`, { agentId, serverId });
  if (row === undefined) throw notFound("mcp server");
  return row;
}

/** Gives the agent a server; one it has already keeps its switch. */
export function attachMcpServer(tx: Tx, agentId: string, serverId: string): void {
  run(tx.db, "INSERT INTO agent_mcp_server (agent_id, server_id, created_at) VALUES (:agentId, :serverId, :now) ON CONFLICT DO NOTHING", {
    agentId,
    serverId,
    now: tx.now,
  });
}

/** Switches a server of the agent on or off; 404 when it has it not. */
export function switchMcpServer(tx: Tx, agentId: string, serverId: string, enabled: boolean): void {
  const sql = "UPDATE agent_mcp_server SET enabled = :enabled WHERE agent_id = :agentId AND server_id = :serverId";
  if (run(tx.db, sql, { enabled: enabled ? 1 : 0, agentId, serverId }) === 0) throw notFound("mcp server");
}

export function detachMcpServer(tx: Tx, agentId: string, serverId: string): void {
  const sql = "DELETE FROM agent_mcp_server WHERE agent_id = :agentId AND server_id = :serverId";
  if (run(tx.db, sql, { agentId, serverId }) === 0) throw notFound("mcp server");
}

/**
 * The MCP configuration that a run of the agent gets: its own, and below it the servers it was given that are switched on;
 * of two with one name its own counts. Undefined when neither exists: then the machine's own servers apply (daemon.md 11.9).
 * A configuration of an unknown shape goes as it is, so that the daemon can say what is wrong with it.
 */
export function effectiveMcpConfig(db: Tx["db"], agent: Pick<AgentRow, "id" | "mcp_config">): unknown {
  const own = agent.mcp_config === null ? undefined : (parseJson(agent.mcp_config) ?? null);
  const given = agentMcpServers(db, agent.id).filter((server) => server.enabled === 1);
  if (given.length === 0) return own;
  const servers = Object.fromEntries(given.map((server) => [server.name, objectColumn(server.config)]));
  if (own === undefined || own === null) return { mcpServers: servers };
  if (!isObject(own)) return own;
  const listed = own["mcpServers"] === null || Object.keys(own).length === 0 ? {} : own["mcpServers"];
  return isObject(listed) ? { ...own, mcpServers: { ...servers, ...listed } } : own;
}

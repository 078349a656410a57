import { mcpAttachSchema, mcpEnabledSchema, mcpServerInputSchema } from "../../../wire/index.ts";
import type { ServerContext } from "../../context.ts";
import { HttpError } from "../../http-error.ts";
import { readBody, uuidOf } from "../../http/body.ts";
import type { App, AppContext } from "../../http/env.ts";
import { json, noContent } from "../../http/respond.ts";
import { type Scope, requireAdmin, requireHuman, scopeFromPath, scopeOf } from "../../http/scope.ts";
import { type AgentRow, mcpServerWire } from "../../rows/index.ts";
import { loadAgent, requireSight } from "../../services/agents.ts";
import { agentMcpServer, agentMcpServers, attachMcpServer, detachMcpServer, switchMcpServer } from "../../services/mcp/agent-servers.ts";
import { createMcpServer, deleteMcpServer, listMcpServers, loadMcpServer, updateMcpServer } from "../../services/mcp/servers.ts";
import { requireOwner } from "../../services/ownership.ts";
import { type Tx, inTransaction } from "../../transaction.ts";
import { agentId } from "./agents.ts";

const LIST = "/api/workspaces/:id/mcp-servers";
const ONE = `${LIST}/:serverId`;
const AGENT_LIST = "/api/agents/:id/mcp-servers";
const AGENT_ONE = `${AGENT_LIST}/:serverId`;

/**
 * MCP servers of a workspace and of its agents (server-api.md 13.2, 13.9.1). What they start and with which credentials
 * is never answered; to say it is for people, because it is executed on somebody's machine.
 */
export function mcpServerRoutes(app: App, ctx: ServerContext): void {
  app.get(LIST, (c) => json(listMcpServers(ctx.db, scopeFromPath(ctx, c).workspace.id).map(mcpServerWire)));

  app.post(LIST, async (c) => {
    const { workspace, actor } = writeScope(ctx, c);
    const input = await readBody(c, mcpServerInputSchema);
    return json(mcpServerWire(inTransaction(ctx, (tx) => createMcpServer(tx, workspace.id, actor.userId, input))), 201);
  });

  app.put(ONE, async (c) => {
    const { workspace } = writeScope(ctx, c);
    const input = await readBody(c, mcpServerInputSchema);
    return json(mcpServerWire(inTransaction(ctx, (tx) => updateMcpServer(tx, loadMcpServer(tx.db, workspace.id, serverId(c)), input))));
  });

  app.delete(ONE, (c) => {
    const { workspace } = writeScope(ctx, c);
    inTransaction(ctx, (tx) => deleteMcpServer(tx, loadMcpServer(tx.db, workspace.id, serverId(c))));
    return noContent();
  });

  agentMcpServerRoutes(app, ctx);
}

function agentMcpServerRoutes(app: App, ctx: ServerContext): void {
  const change = <T>(c: AppContext, work: (tx: Tx, agent: AgentRow) => T): T => {
    const scope = scopeOf(ctx, c);
    if (scope.actor.type === "agent") throw new HttpError(403, "this endpoint is only available to human actors");
    return inTransaction(ctx, (tx) => {
      const agent = loadAgent(tx.db, scope.workspace.id, agentId(c));
      requireOwner(tx.db, scope, agent.owner_id);
      return work(tx, agent);
    });
  };

  app.get(AGENT_LIST, (c) => {
    const scope = scopeOf(ctx, c);
    const agent = loadAgent(ctx.db, scope.workspace.id, agentId(c));
    requireSight(scope, agent);
    return json(agentMcpServers(ctx.db, agent.id).map(mcpServerWire));
  });

  app.post(AGENT_LIST, async (c) => {
    const given = uuidOf((await readBody(c, mcpAttachSchema)).server_id, "server_id");
    const row = change(c, (tx, agent) => {
      attachMcpServer(tx, agent.id, loadMcpServer(tx.db, agent.workspace_id, given).id);
      return agentMcpServer(tx.db, agent.id, given);
    });
    return json(mcpServerWire(row), 201);
  });

  app.put(`${AGENT_ONE}/enabled`, async (c) => {
    const { enabled } = await readBody(c, mcpEnabledSchema);
    const row = change(c, (tx, agent) => {
      switchMcpServer(tx, agent.id, serverId(c), enabled);
      return agentMcpServer(tx.db, agent.id, serverId(c));
    });
    return json(mcpServerWire(row));
  });

  app.delete(AGENT_ONE, (c) => {
    change(c, (tx, agent) => detachMcpServer(tx, agent.id, serverId(c)));
    return noContent();
  });
}

function writeScope(ctx: ServerContext, c: AppContext): Scope {
  const scope = scopeFromPath(ctx, c);
  requireHuman(c);
  requireAdmin(scope);
  return scope;
}

function serverId(c: AppContext): string {
  return uuidOf(c.req.param("serverId"), "mcp server id");
}

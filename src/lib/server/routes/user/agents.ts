import { agentInputSchema } from "../../../wire/index.ts";
import type { ServerContext } from "../../context.ts";
import { readBody, uuidOf } from "../../http/body.ts";
import type { App, AppContext } from "../../http/env.ts";
import { json } from "../../http/respond.ts";
import { type Scope, scopeOf } from "../../http/scope.ts";
import type { AgentRow } from "../../rows/index.ts";
import { archiveAgent, createAgent, restoreAgent, updateAgent } from "../../services/agent-write.ts";
import { listAgents, loadAgent, showAgent } from "../../services/agents.ts";
import { requireOwner } from "../../services/ownership.ts";
import { type Tx, inTransaction } from "../../transaction.ts";

/** Agents: list, create, read, change (server-api.md 13.9.1). */
export function agentRoutes(app: App, ctx: ServerContext): void {
  app.get("/api/agents", (c) => json(listAgents(ctx.db, scopeOf(ctx, c), c.req.query("include_archived") === "true")));

  app.post("/api/agents", async (c) => {
    const scope = scopeOf(ctx, c);
    const input = await readBody(c, agentInputSchema);
    const id = inTransaction(ctx, (tx) => createAgent(tx, scope, input));
    return json(showAgent(ctx.db, scope, id), 201);
  });

  app.get("/api/agents/:id", (c) => json(showAgent(ctx.db, scopeOf(ctx, c), agentId(c))));

  app.put("/api/agents/:id", async (c) => {
    const scope = scopeOf(ctx, c);
    const input = await readBody(c, agentInputSchema);
    return change(ctx, scope, agentId(c), (tx, agent) => updateAgent(tx, scope, agent, input));
  });

  app.post("/api/agents/:id/archive", (c) => {
    const scope = scopeOf(ctx, c);
    return change(ctx, scope, agentId(c), (tx, agent) => archiveAgent(tx, agent, scope.actor.userId));
  });

  app.post("/api/agents/:id/restore", (c) => change(ctx, scopeOf(ctx, c), agentId(c), restoreAgent));
}

/** The id in the path. */
export function agentId(c: AppContext): string {
  return uuidOf(c.req.param("id"), "agent id");
}

function change(ctx: ServerContext, scope: Scope, id: string, work: (tx: Tx, agent: AgentRow) => void): Response {
  inTransaction(ctx, (tx) => {
    const agent = loadAgent(tx.db, scope.workspace.id, id);
    requireOwner(tx.db, scope, agent.owner_id);
    work(tx, agent);
  });
  return json(showAgent(ctx.db, scope, id));
}

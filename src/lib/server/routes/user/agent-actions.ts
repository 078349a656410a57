import { agentEnvSchema } from "../../../wire/index.ts";
import type { ServerContext } from "../../context.ts";
import { all } from "../../db/query.ts";
import { HttpError } from "../../http-error.ts";
import { readBody } from "../../http/body.ts";
import type { App, AppContext } from "../../http/env.ts";
import { json } from "../../http/respond.ts";
import { scopeOf } from "../../http/scope.ts";
import { type AgentRow, type TaskRow, objectColumn, taskWire } from "../../rows/index.ts";
import { replaceEnv } from "../../services/agent-write.ts";
import { loadAgent, requireSight } from "../../services/agents.ts";
import { requireOwner } from "../../services/ownership.ts";
import { cancelTasksOfAgent } from "../../services/tasks/enqueue.ts";
import { VISIBLE, viewerOf } from "../../services/tasks/sight.ts";
import { inTransaction } from "../../transaction.ts";
import { agentId } from "./agents.ts";

/** Tasks and environment of an agent (server-api.md 13.9.1). */
export function agentActionRoutes(app: App, ctx: ServerContext): void {
  app.get("/api/agents/:id/tasks", (c) => {
    const scope = scopeOf(ctx, c);
    const agent = loadAgent(ctx.db, scope.workspace.id, agentId(c));
    requireSight(scope, agent);
    const sql = `SELECT t.* FROM task t WHERE t.agent_id = :id AND ${VISIBLE} ORDER BY t.created_at DESC, t.id DESC LIMIT 500`;
    return json(all<TaskRow>(ctx.db, sql, { id: agent.id, viewer: viewerOf(scope.actor) }).map((row) => taskWire(row)));
  });

  app.post("/api/agents/:id/cancel-tasks", (c) => {
    const scope = scopeOf(ctx, c);
    const id = agentId(c);
    const cancelled = inTransaction(ctx, (tx) => {
      requireOwner(tx.db, scope, loadAgent(tx.db, scope.workspace.id, id).owner_id);
      return cancelTasksOfAgent(tx, id);
    });
    return json({ cancelled });
  });

  app.get("/api/agents/:id/env", (c) => json(envWire(envAgent(ctx, c))));

  app.put("/api/agents/:id/env", async (c) => {
    const { id } = envAgent(ctx, c);
    const { workspace } = scopeOf(ctx, c);
    const input = await readBody(c, agentEnvSchema);
    const agent = inTransaction(ctx, (tx) => {
      replaceEnv(tx, loadAgent(tx.db, workspace.id, id), input.custom_env);
      return loadAgent(tx.db, workspace.id, id);
    });
    return json(envWire(agent));
  });
}

function envWire(agent: AgentRow): object {
  return { agent_id: agent.id, custom_env: objectColumn(agent.custom_env) };
}

/** Environment values are secrets: for the people who manage the agent, never for an agent (server-api.md 2.5). */
function envAgent(ctx: ServerContext, c: AppContext): AgentRow {
  const scope = scopeOf(ctx, c);
  if (scope.actor.type === "agent") throw new HttpError(403, "this endpoint is only available to human actors");
  const agent = loadAgent(ctx.db, scope.workspace.id, agentId(c));
  requireOwner(ctx.db, scope, agent.owner_id);
  return agent;
}

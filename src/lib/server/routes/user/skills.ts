import { skillFilePutSchema, skillIdsSchema, skillEnabledSchema, skillInputSchema } from "../../../wire/index.ts";
import type { ServerContext } from "../../context.ts";
import { readBody, uuidOf } from "../../http/body.ts";
import type { App, AppContext } from "../../http/env.ts";
import { json, noContent } from "../../http/respond.ts";
import { type Scope, scopeOf } from "../../http/scope.ts";
import { type AgentRow, type SkillRow, skillFileWire } from "../../rows/index.ts";
import { loadAgent, requireSight } from "../../services/agents.ts";
import { requireOwner, requirePerson } from "../../services/ownership.ts";
import { agentSkills, attachSkills, detachSkill, switchSkill } from "../../services/skills/agent-skills.ts";
import { deleteFile, filesOf, putFile } from "../../services/skills/files.ts";
import { createSkill, deleteSkill, listSkills, loadSkill, showSkill, touchSkill, updateSkill } from "../../services/skills/skills.ts";
import { type Tx, inTransaction } from "../../transaction.ts";
import { agentId } from "./agents.ts";

/** Skills of the workspace and of its agents (server-api.md 13.11, 13.9.1). */
export function skillRoutes(app: App, ctx: ServerContext): void {
  app.get("/api/skills", (c) => json(listSkills(ctx.db, scopeOf(ctx, c).workspace.id)));

  app.post("/api/skills", async (c) => {
    const scope = scopeOf(ctx, c);
    const input = await readBody(c, skillInputSchema);
    const id = inTransaction(ctx, (tx) => createSkill(tx, { workspaceId: scope.workspace.id, userId: requirePerson(tx.db, scope) }, input));
    return json(showSkill(ctx.db, scope.workspace.id, id), 201);
  });

  app.get("/api/skills/:id", (c) => json(showSkill(ctx.db, scopeOf(ctx, c).workspace.id, skillId(c))));

  app.put("/api/skills/:id", async (c) => {
    const scope = scopeOf(ctx, c);
    const input = await readBody(c, skillInputSchema);
    changeSkill(ctx, c, scope, (tx, skill) => updateSkill(tx, skill, input));
    return json(showSkill(ctx.db, scope.workspace.id, skillId(c)));
  });

  app.delete("/api/skills/:id", (c) => {
    changeSkill(ctx, c, scopeOf(ctx, c), (tx, skill) => deleteSkill(tx, skill.id));
    return noContent();
  });

  app.get("/api/skills/:id/files", (c) => {
    const skill = loadSkill(ctx.db, scopeOf(ctx, c).workspace.id, skillId(c));
    return json(filesOf(ctx.db, skill.id).map(skillFileWire));
  });

  app.put("/api/skills/:id/files", async (c) => {
    const scope = scopeOf(ctx, c);
    const file = await readBody(c, skillFilePutSchema);
    const row = changeSkill(ctx, c, scope, (tx, skill) => {
      touchSkill(tx, skill.id);
      return putFile(tx, skill.id, file);
    });
    return json(skillFileWire(row));
  });

  app.delete("/api/skills/:id/files/:fileId", (c) => {
    const fileId = uuidOf(c.req.param("fileId"), "file id");
    changeSkill(ctx, c, scopeOf(ctx, c), (tx, skill) => {
      touchSkill(tx, skill.id);
      deleteFile(tx, skill.id, fileId);
    });
    return noContent();
  });

  agentSkillRoutes(app, ctx);
}

function agentSkillRoutes(app: App, ctx: ServerContext): void {
  const change = (c: AppContext, scope: Scope, work: (tx: Tx, agent: AgentRow) => void): Response => {
    const id = agentId(c);
    const skills = inTransaction(ctx, (tx) => {
      const agent = loadAgent(tx.db, scope.workspace.id, id);
      requireOwner(tx.db, scope, agent.owner_id);
      work(tx, agent);
      return agentSkills(tx.db, agent.id);
    });
    return json(skills);
  };

  app.get("/api/agents/:id/skills", (c) => {
    const scope = scopeOf(ctx, c);
    const agent = loadAgent(ctx.db, scope.workspace.id, agentId(c));
    requireSight(scope, agent);
    return json(agentSkills(ctx.db, agent.id));
  });

  app.put("/api/agents/:id/skills", async (c) => {
    const scope = scopeOf(ctx, c);
    const { skill_ids } = await readBody(c, skillIdsSchema);
    return change(c, scope, (tx, agent) => attachSkills(tx, agent, skill_ids, true));
  });

  app.post("/api/agents/:id/skills/add", async (c) => {
    const scope = scopeOf(ctx, c);
    const { skill_ids } = await readBody(c, skillIdsSchema);
    return change(c, scope, (tx, agent) => attachSkills(tx, agent, skill_ids, false));
  });

  app.delete("/api/agents/:id/skills/:skillId", (c) => {
    const skill = uuidOf(c.req.param("skillId"), "skill id");
    return change(c, scopeOf(ctx, c), (tx, agent) => detachSkill(tx, agent.id, skill));
  });

  app.put("/api/agents/:id/skills/:skillId/enabled", async (c) => {
    const scope = scopeOf(ctx, c);
    const { enabled } = await readBody(c, skillEnabledSchema);
    const skill = uuidOf(c.req.param("skillId"), "skill id");
    return change(c, scope, (tx, agent) => switchSkill(tx, agent.id, skill, enabled));
  });
}

function skillId(c: AppContext): string {
  return uuidOf(c.req.param("id"), "skill id");
}

function changeSkill<T>(ctx: ServerContext, c: AppContext, scope: Scope, work: (tx: Tx, skill: SkillRow) => T): T {
  return inTransaction(ctx, (tx) => {
    const skill = loadSkill(tx.db, scope.workspace.id, skillId(c));
    requireOwner(tx.db, scope, skill.created_by);
    return work(tx, skill);
  });
}

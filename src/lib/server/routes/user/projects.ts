import { projectInputSchema, resourceInputSchema } from "../../../wire/index.ts";
import type { ServerContext } from "../../context.ts";
import { badRequest } from "../../http-error.ts";
import { readBody, uuidOf } from "../../http/body.ts";
import type { App, AppContext } from "../../http/env.ts";
import { json, noContent } from "../../http/respond.ts";
import { requireHuman, scopeOf } from "../../http/scope.ts";
import { type ProjectRow, projectWire, resourceWire } from "../../rows/index.ts";
import { createProject, deleteProject, listProjects, loadProject, updateProject } from "../../services/projects/projects.ts";
import { addResource, changeResource, loadResource, removeResource, resourcesOf } from "../../services/projects/resources.ts";
import { asciiLower } from "../../services/issue-list.ts";
import { inTransaction } from "../../transaction.ts";

/**
 * Projects and their resources (server-api.md 13.8). Resources say which repositories are cloned and in which directories
 * of a machine agents work: people write them, agents read them.
 */
export function projectRoutes(app: App, ctx: ServerContext): void {
  const list = (c: AppContext, q: string | null): Response => {
    const filter = { status: c.req.query("status") || null, priority: c.req.query("priority") || null, q };
    const projects = listProjects(ctx.db, scopeOf(ctx, c).workspace.id, filter);
    return json({ projects, total: projects.length });
  };
  app.get("/api/projects", (c) => list(c, null));
  app.get("/api/projects/search", (c) => {
    const q = (c.req.query("q") ?? "").trim();
    if (q === "") throw badRequest("q parameter is required");
    return list(c, asciiLower(q));
  });

  app.post("/api/projects", async (c) => {
    const scope = scopeOf(ctx, c);
    const input = await readBody(c, projectInputSchema);
    if ((input.resources ?? []).length > 0) requireHuman(c);
    return json(inTransaction(ctx, (tx) => createProject(tx, scope, input)), 201);
  });

  app.get("/api/projects/:id", (c) => json(projectWire(loadProject(ctx.db, scopeOf(ctx, c).workspace.id, projectId(c)))));

  app.put("/api/projects/:id", async (c) => {
    const { workspace } = scopeOf(ctx, c);
    const input = await readBody(c, projectInputSchema);
    return json(inTransaction(ctx, (tx) => updateProject(tx, loadProject(tx.db, workspace.id, projectId(c)), input)));
  });

  app.delete("/api/projects/:id", (c) => {
    const { workspace } = scopeOf(ctx, c);
    requireHuman(c);
    inTransaction(ctx, (tx) => deleteProject(tx, loadProject(tx.db, workspace.id, projectId(c))));
    return noContent();
  });

  resourceRoutes(app, ctx);
}

function resourceRoutes(app: App, ctx: ServerContext): void {
  const projectOf = (c: AppContext): ProjectRow => loadProject(ctx.db, scopeOf(ctx, c).workspace.id, projectId(c));

  app.get("/api/projects/:id/resources", (c) => {
    const resources = resourcesOf(ctx.db, projectOf(c).id).map(resourceWire);
    return json({ resources, total: resources.length });
  });

  app.post("/api/projects/:id/resources", async (c) => {
    const project = projectOf(c);
    requireHuman(c);
    const input = await readBody(c, resourceInputSchema);
    return json(resourceWire(inTransaction(ctx, (tx) => addResource(tx, project, c.get("principal").userId, input))), 201);
  });

  app.put("/api/projects/:id/resources/:resourceId", async (c) => {
    const project = projectOf(c);
    requireHuman(c);
    const input = await readBody(c, resourceInputSchema);
    return json(resourceWire(inTransaction(ctx, (tx) => changeResource(tx, loadResource(tx.db, project.id, resourceId(c)), input))));
  });

  app.delete("/api/projects/:id/resources/:resourceId", (c) => {
    const project = projectOf(c);
    requireHuman(c);
    inTransaction(ctx, (tx) => removeResource(tx, loadResource(tx.db, project.id, resourceId(c))));
    return noContent();
  });
}

function projectId(c: AppContext): string {
  return uuidOf(c.req.param("id"), "project id");
}

function resourceId(c: AppContext): string {
  return uuidOf(c.req.param("resourceId"), "resource id");
}

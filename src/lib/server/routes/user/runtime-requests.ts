import { localSkillImportRequestSchema, updateRequestSchema } from "../../../wire/index.ts";
import type { ServerContext } from "../../context.ts";
import { readBody, uuidOf } from "../../http/body.ts";
import type { App, AppContext } from "../../http/env.ts";
import { json } from "../../http/respond.ts";
import { requireHuman, scopeOf } from "../../http/scope.ts";
import { HttpError, badRequest } from "../../http-error.ts";
import { type RequestKind, type RuntimeRow, requestWire } from "../../rows/index.ts";
import { createRequest, loadRequest, openRequest } from "../../services/requests/store.ts";
import { loadRuntime } from "../../services/runtimes.ts";
import { type Tx, inTransaction } from "../../transaction.ts";

/**
 * What only the machine itself can answer: a user asks, a heartbeat carries it to the daemon, the user polls
 * (server-api.md 9, 13.10). Who made a request may read it; all but the model list belong to the runtime's people.
 */
export function runtimeRequestRoutes(app: App, ctx: ServerContext): void {
  app.post("/api/runtimes/:id/update", async (c) => {
    const { runtime, userId } = ownRuntime(ctx, c, "manage");
    const version = (await readBody(c, updateRequestSchema)).target_version.trim();
    if (version === "") throw badRequest("target_version is required");
    if (!/^v?\d+\.\d+\.\d+[\w.+-]*$/.test(version)) throw badRequest("invalid target_version");
    return created(ctx, (tx) => {
      if (openRequest(tx, runtime.id, "update", ["pending", "running"]) !== undefined) throw new HttpError(409, "an update is already in progress");
      return createRequest(tx, { kind: "update", runtimeId: runtime.id, input: { target_version: version }, userId });
    });
  });

  app.post("/api/runtimes/:id/models", (c) => {
    const { runtime, userId } = seenRuntime(ctx, c);
    requireOnline(runtime);
    return created(ctx, (tx) => openRequest(tx, runtime.id, "models", ["pending"]) ?? createRequest(tx, { kind: "models", runtimeId: runtime.id, input: {}, userId }));
  });

  app.post("/api/runtimes/:id/local-skills", (c) => {
    const { runtime, userId } = ownRuntime(ctx, c, "own");
    requireOnline(runtime);
    return created(ctx, (tx) => openRequest(tx, runtime.id, "local_skills", ["pending"]) ?? createRequest(tx, { kind: "local_skills", runtimeId: runtime.id, input: {}, userId }));
  });

  app.post("/api/runtimes/:id/local-skills/import", async (c) => {
    const { runtime, userId } = ownRuntime(ctx, c, "own");
    const input = importInput(await readBody(c, localSkillImportRequestSchema));
    requireOnline(runtime);
    return created(ctx, (tx) => createRequest(tx, { kind: "skill_import", runtimeId: runtime.id, input, userId }));
  });

  app.get("/api/runtimes/:id/update/:requestId", (c) => poll(ctx, c, ownRuntime(ctx, c, "manage").runtime, "update"));
  app.get("/api/runtimes/:id/models/:requestId", (c) => poll(ctx, c, seenRuntime(ctx, c).runtime, "models"));
  app.get("/api/runtimes/:id/local-skills/:requestId", (c) => poll(ctx, c, ownRuntime(ctx, c, "own").runtime, "local_skills"));
  app.get("/api/runtimes/:id/local-skills/import/:requestId", (c) => poll(ctx, c, ownRuntime(ctx, c, "own").runtime, "skill_import"));
}

function created(ctx: ServerContext, make: (tx: Tx) => Parameters<typeof requestWire>[0]): Response {
  return json(requestWire(inTransaction(ctx, make)));
}

function poll(ctx: ServerContext, c: AppContext, runtime: RuntimeRow, kind: RequestKind): Response {
  const id = uuidOf(c.req.param("requestId"), "request id");
  return json(requestWire(inTransaction(ctx, (tx) => loadRequest(tx, runtime.id, kind, id))));
}

function seenRuntime(ctx: ServerContext, c: AppContext): { runtime: RuntimeRow; userId: string } {
  const { workspace, actor } = scopeOf(ctx, c);
  return { runtime: loadRuntime(ctx.db, workspace.id, uuidOf(c.req.param("id"), "runtime id")), userId: actor.userId };
}

/** `own`: what lies in somebody's home is that person's. `manage`: the workspace's admins may too. Never an agent. */
function ownRuntime(ctx: ServerContext, c: AppContext, right: "own" | "manage"): { runtime: RuntimeRow; userId: string } {
  const found = seenRuntime(ctx, c);
  requireHuman(c);
  const { role } = scopeOf(ctx, c);
  const own = found.runtime.owner_id === found.userId;
  if (!own && (right === "own" || role === "member")) throw new HttpError(403, "insufficient permissions");
  return found;
}

function requireOnline(runtime: RuntimeRow): void {
  if (runtime.status !== "online") throw new HttpError(503, "runtime is offline");
}

function importInput(input: ReturnType<typeof localSkillImportRequestSchema.parse>): Record<string, unknown> {
  if (input.skill_key.trim() === "") throw badRequest("skill_key is required");
  const action = input.action || "create";
  if (action !== "create" && action !== "overwrite") throw badRequest("action must be 'create' or 'overwrite'");
  return {
    skill_key: input.skill_key,
    action,
    ...(input.name ? { name: input.name } : {}),
    ...(input.description ? { description: input.description } : {}),
    ...(input.target_skill_id ? { target_skill_id: uuidOf(input.target_skill_id, "target_skill_id") } : {}),
    ...(input.supports_conflict === true ? { supports_conflict: true } : {}),
  };
}

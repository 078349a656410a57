import { profileInputSchema } from "../../../wire/index.ts";
import type { ServerContext } from "../../context.ts";
import { all } from "../../db/query.ts";
import { readBody, uuidOf } from "../../http/body.ts";
import type { App, AppContext } from "../../http/env.ts";
import { json, noContent } from "../../http/respond.ts";
import { type Scope, requireAdmin, requireHuman, scopeFromPath } from "../../http/scope.ts";
import { type RuntimeProfileRow, profileWire } from "../../rows/index.ts";
import { createProfile, deleteProfile, loadProfile, updateProfile } from "../../services/profiles.ts";
import { inTransaction } from "../../transaction.ts";

const LIST = "/api/workspaces/:id/runtime-profiles";
const ONE = `${LIST}/:profileId`;

/** Runtime profiles of a workspace (server-api.md 13.2). A profile names a command that daemons run: humans only. */
export function profileRoutes(app: App, ctx: ServerContext): void {
  app.get(LIST, (c) => {
    const { workspace } = scopeFromPath(ctx, c);
    const sql = "SELECT * FROM runtime_profile WHERE workspace_id = :id ORDER BY created_at, id";
    const rows = all<RuntimeProfileRow>(ctx.db, sql, { id: workspace.id });
    return json({ workspace_id: workspace.id, runtime_profiles: rows.map(profileWire) });
  });

  app.post(LIST, async (c) => {
    const scope = writeScope(ctx, c);
    const input = await readBody(c, profileInputSchema);
    return json(profileWire(inTransaction(ctx, (tx) => createProfile(tx, scope.workspace.id, scope.actor.userId, input))), 201);
  });

  app.get(ONE, (c) => json(profileWire(loadProfile(ctx.db, scopeFromPath(ctx, c).workspace.id, profileId(c)))));

  const change = async (c: AppContext): Promise<Response> => {
    const { workspace } = writeScope(ctx, c);
    const input = await readBody(c, profileInputSchema);
    const row = inTransaction(ctx, (tx) => updateProfile(tx, loadProfile(tx.db, workspace.id, profileId(c)), input));
    return json(profileWire(row));
  };
  app.patch(ONE, change);
  app.put(ONE, change);

  app.delete(ONE, (c) => {
    const { workspace } = writeScope(ctx, c);
    inTransaction(ctx, (tx) => deleteProfile(tx, loadProfile(tx.db, workspace.id, profileId(c))));
    return noContent();
  });
}

function writeScope(ctx: ServerContext, c: AppContext): Scope {
  const scope = scopeFromPath(ctx, c);
  requireHuman(c);
  requireAdmin(scope);
  return scope;
}

function profileId(c: AppContext): string {
  return uuidOf(c.req.param("profileId"), "runtime profile id");
}

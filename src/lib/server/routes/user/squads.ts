import { squadEvaluationSchema, squadInputSchema, squadMemberInputSchema } from "../../../wire/index.ts";
import type { ServerContext } from "../../context.ts";
import { readBody, uuidOf } from "../../http/body.ts";
import type { App, AppContext } from "../../http/env.ts";
import { json, noContent } from "../../http/respond.ts";
import { type Scope, scopeOf } from "../../http/scope.ts";
import { type SquadRow, squadMemberWire } from "../../rows/index.ts";
import { loadIssue } from "../../services/issues.ts";
import { requireOwner } from "../../services/ownership.ts";
import { recordEvaluation } from "../../services/squads/leading.ts";
import { addMember, memberStatus, removeMember, setRole } from "../../services/squads/members.ts";
import { archiveSquad, createSquad, listSquads, loadSquad, membersOf, showSquad, updateSquad } from "../../services/squads/squads.ts";
import { type Tx, inTransaction } from "../../transaction.ts";

/** Squads, their members, and what their leaders decide (server-api.md 13.12). */
export function squadRoutes(app: App, ctx: ServerContext): void {
  app.get("/api/squads", (c) => json(listSquads(ctx.db, scopeOf(ctx, c).workspace.id)));

  app.post("/api/squads", async (c) => {
    const scope = scopeOf(ctx, c);
    const input = await readBody(c, squadInputSchema);
    const id = inTransaction(ctx, (tx) => createSquad(tx, scope, input));
    return json(showSquad(ctx.db, scope.workspace.id, id), 201);
  });

  app.get("/api/squads/:id", (c) => json(showSquad(ctx.db, scopeOf(ctx, c).workspace.id, squadId(c))));

  app.put("/api/squads/:id", async (c) => {
    const scope = scopeOf(ctx, c);
    const input = await readBody(c, squadInputSchema);
    change(ctx, c, scope, (tx, squad) => updateSquad(tx, scope, squad, input));
    return json(showSquad(ctx.db, scope.workspace.id, squadId(c)));
  });

  app.delete("/api/squads/:id", (c) => {
    const scope = scopeOf(ctx, c);
    change(ctx, c, scope, (tx, squad) => archiveSquad(tx, scope, squad));
    return noContent();
  });

  app.post("/api/issues/:id/squad-evaluated", async (c) => {
    const scope = scopeOf(ctx, c);
    const input = await readBody(c, squadEvaluationSchema);
    const ref = c.req.param("id") ?? "";
    return json(inTransaction(ctx, (tx) => recordEvaluation(tx, scope, loadIssue(tx.db, scope.workspace, ref), input)), 201);
  });

  memberRoutes(app, ctx);
}

function memberRoutes(app: App, ctx: ServerContext): void {
  const squadOf = (c: AppContext): SquadRow => loadSquad(ctx.db, scopeOf(ctx, c).workspace.id, squadId(c));

  app.get("/api/squads/:id/members", (c) => json(membersOf(ctx.db, squadOf(c).id).map(squadMemberWire)));
  app.get("/api/squads/:id/members/status", (c) => json(memberStatus(ctx.db, squadOf(c))));

  app.post("/api/squads/:id/members", async (c) => {
    const scope = scopeOf(ctx, c);
    const input = await readBody(c, squadMemberInputSchema);
    return json(squadMemberWire(change(ctx, c, scope, (tx, squad) => addMember(tx, squad, input))), 201);
  });

  app.delete("/api/squads/:id/members", async (c) => {
    const scope = scopeOf(ctx, c);
    const input = await readBody(c, squadMemberInputSchema);
    change(ctx, c, scope, (tx, squad) => removeMember(tx, squad, input));
    return noContent();
  });

  app.patch("/api/squads/:id/members/role", async (c) => {
    const scope = scopeOf(ctx, c);
    const input = await readBody(c, squadMemberInputSchema);
    return json(squadMemberWire(change(ctx, c, scope, (tx, squad) => setRole(tx, squad, input))));
  });
}

function squadId(c: AppContext): string {
  return uuidOf(c.req.param("id"), "squad id");
}

function change<T>(ctx: ServerContext, c: AppContext, scope: Scope, work: (tx: Tx, squad: SquadRow) => T): T {
  return inTransaction(ctx, (tx) => {
    const squad = loadSquad(tx.db, scope.workspace.id, squadId(c));
    requireOwner(tx.db, scope, squad.creator_id);
    return work(tx, squad);
  });
}

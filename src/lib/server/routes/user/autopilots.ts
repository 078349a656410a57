import { autopilotInputSchema, autopilotTriggerSchema, signingSecretSchema, triggerInputSchema } from "../../../wire/index.ts";
import type { ServerContext } from "../../context.ts";
import { all, one } from "../../db/query.ts";
import { badRequest } from "../../http-error.ts";
import { intQuery, readBody, uuidOf } from "../../http/body.ts";
import type { App, AppContext } from "../../http/env.ts";
import { json, noContent } from "../../http/respond.ts";
import { type Scope, scopeOf } from "../../http/scope.ts";
import { type AutopilotRow, type AutopilotRunRow, type AutopilotTriggerRow, runWire, triggerWire } from "../../rows/index.ts";
import { createAutopilot, deleteAutopilot, listAutopilots, loadAutopilot, showAutopilot, updateAutopilot } from "../../services/autopilots/autopilots.ts";
import { runAutopilot } from "../../services/autopilots/run.ts";
import { addTrigger, changeTrigger, loadTrigger, removeTrigger, rotateToken, setSigningSecret, triggersOf } from "../../services/autopilots/triggers.ts";
import { mayChange, requireOwner } from "../../services/ownership.ts";
import { cancelTasksOfAutopilot } from "../../services/tasks/enqueue.ts";
import { type Tx, inTransaction } from "../../transaction.ts";

const MAX_KEY = 255;

/** Autopilots, what sets them off, and their runs (server-api.md 13.13). Collaborators do not exist here. */
export function autopilotRoutes(app: App, ctx: ServerContext): void {
  app.get("/api/autopilots", (c) => {
    const found = listAutopilots(ctx.db, scopeOf(ctx, c), c.req.query("status") || null);
    const offset = intQuery(c, "offset", 0, 1_000_000);
    return json({ autopilots: found.slice(offset, offset + intQuery(c, "limit", 500, 500)), total: found.length });
  });

  app.post("/api/autopilots", async (c) => {
    const scope = scopeOf(ctx, c);
    const input = await readBody(c, autopilotInputSchema);
    const id = inTransaction(ctx, (tx) => createAutopilot(tx, scope, input));
    return json(showAutopilot(ctx.db, scope, id), 201);
  });

  app.get("/api/autopilots/:id", (c) => {
    const scope = scopeOf(ctx, c);
    const autopilot = showAutopilot(ctx.db, scope, autopilotId(c));
    const secrets = mayChange(ctx.db, scope, loadAutopilot(ctx.db, scope.workspace.id, autopilotId(c)).owner_id);
    return json({ autopilot, triggers: triggersOf(ctx.db, autopilotId(c)).map((row) => triggerWire(row, secrets)) });
  });

  app.patch("/api/autopilots/:id", async (c) => {
    const scope = scopeOf(ctx, c);
    const input = await readBody(c, autopilotInputSchema);
    change(ctx, c, scope, (tx, row) => updateAutopilot(tx, scope, row, input));
    return json(showAutopilot(ctx.db, scope, autopilotId(c)));
  });

  app.delete("/api/autopilots/:id", (c) => {
    change(ctx, c, scopeOf(ctx, c), (tx, row) => {
      cancelTasksOfAutopilot(tx, row.id);
      deleteAutopilot(tx, row);
    });
    return noContent();
  });

  app.post("/api/autopilots/:id/trigger", async (c) => {
    const scope = scopeOf(ctx, c);
    const { payload } = await readBody(c, autopilotTriggerSchema);
    const key = c.req.header("idempotency-key");
    if (key !== undefined && (key === "" || key.length > MAX_KEY)) throw badRequest("invalid Idempotency-Key");
    const run = change(ctx, c, scope, (tx, row) =>
      runAutopilot(tx, row, { source: "manual", actor: scope.actor, payload, ...(key === undefined ? {} : { idempotencyKey: key }) }),
    );
    return json(runWire(run));
  });

  app.get("/api/autopilots/:id/runs", (c) => {
    const { id } = loadAutopilot(ctx.db, scopeOf(ctx, c).workspace.id, autopilotId(c));
    const sql = "SELECT * FROM autopilot_run WHERE autopilot_id = :id ORDER BY created_at DESC, rowid DESC LIMIT :limit OFFSET :offset";
    const page = { limit: intQuery(c, "limit", 20, 100), offset: intQuery(c, "offset", 0, 1_000_000_000) };
    const total = one<{ total: number }>(ctx.db, "SELECT count(*) AS total FROM autopilot_run WHERE autopilot_id = :id", { id })?.total ?? 0;
    return json({ runs: all<AutopilotRunRow>(ctx.db, sql, { id, ...page }).map(runWire), total });
  });

  triggerRoutes(app, ctx);
}

function triggerRoutes(app: App, ctx: ServerContext): void {
  const one = "/api/autopilots/:id/triggers/:triggerId";
  const answer = (c: AppContext, scope: Scope, work: (tx: Tx, row: AutopilotTriggerRow) => AutopilotTriggerRow): Response =>
    json(triggerWire(change(ctx, c, scope, (tx, autopilot) => work(tx, loadTrigger(tx.db, autopilot.id, triggerId(c)))), true));

  app.post("/api/autopilots/:id/triggers", async (c) => {
    const scope = scopeOf(ctx, c);
    const input = await readBody(c, triggerInputSchema);
    return json(triggerWire(change(ctx, c, scope, (tx, row) => addTrigger(tx, row.id, input)), true), 201);
  });

  app.patch(one, async (c) => {
    const scope = scopeOf(ctx, c);
    const input = await readBody(c, triggerInputSchema);
    return answer(c, scope, (tx, row) => changeTrigger(tx, row, input));
  });

  app.post(`${one}/rotate-webhook-token`, (c) => answer(c, scopeOf(ctx, c), rotateToken));

  app.put(`${one}/signing-secret`, async (c) => {
    const scope = scopeOf(ctx, c);
    const { signing_secret: secret } = await readBody(c, signingSecretSchema);
    return answer(c, scope, (tx, row) => setSigningSecret(tx, row, secret ?? ""));
  });

  app.delete(one, (c) => {
    change(ctx, c, scopeOf(ctx, c), (tx, row) => removeTrigger(tx, loadTrigger(tx.db, row.id, triggerId(c))));
    return noContent();
  });
}

function autopilotId(c: AppContext): string {
  return uuidOf(c.req.param("id"), "autopilot id");
}

function triggerId(c: AppContext): string {
  return uuidOf(c.req.param("triggerId"), "trigger id");
}

function change<T>(ctx: ServerContext, c: AppContext, scope: Scope, work: (tx: Tx, row: AutopilotRow) => T): T {
  return inTransaction(ctx, (tx) => {
    const row = loadAutopilot(tx.db, scope.workspace.id, autopilotId(c));
    requireOwner(tx.db, scope, row.owner_id);
    return work(tx, row);
  });
}

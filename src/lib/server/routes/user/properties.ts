import { propertyInputSchema, propertyValueSchema } from "../../../wire/index.ts";
import type { ServerContext } from "../../context.ts";
import { readBody, uuidOf } from "../../http/body.ts";
import type { App, AppContext } from "../../http/env.ts";
import { json } from "../../http/respond.ts";
import { scopeOf } from "../../http/scope.ts";
import { propertyWire } from "../../rows/index.ts";
import { loadIssue, touchIssue } from "../../services/issues.ts";
import { createProperty, listProperties, loadProperty, updateProperty } from "../../services/properties/properties.ts";
import { changeValue } from "../../services/properties/values.ts";
import { inTransaction } from "../../transaction.ts";
import { issueOf } from "./issues.ts";

/** Custom properties of the workspace and their values on issues (server-api.md 13.4). */
export function propertyRoutes(app: App, ctx: ServerContext): void {
  app.get("/api/properties", (c) => {
    const properties = listProperties(ctx.db, scopeOf(ctx, c).workspace.id, c.req.query("include_archived") === "true");
    return json({ properties, total: properties.length });
  });

  app.post("/api/properties", async (c) => {
    const { workspace } = scopeOf(ctx, c);
    const input = await readBody(c, propertyInputSchema);
    const id = inTransaction(ctx, (tx) => createProperty(tx, workspace.id, input));
    return json(propertyWire(loadProperty(ctx.db, workspace.id, id)), 201);
  });

  app.patch("/api/properties/:id", async (c) => {
    const { workspace } = scopeOf(ctx, c);
    const input = await readBody(c, propertyInputSchema);
    const id = propertyId(c, "id");
    inTransaction(ctx, (tx) => updateProperty(tx, loadProperty(tx.db, workspace.id, id), input));
    return json(propertyWire(loadProperty(ctx.db, workspace.id, id)));
  });

  app.put("/api/issues/:id/properties/:propertyId", async (c) => {
    const input = await readBody(c, propertyValueSchema);
    return valueChange(ctx, c, input.value ?? null);
  });
  app.delete("/api/issues/:id/properties/:propertyId", (c) => valueChange(ctx, c, undefined));
}

/** Gives the issue this value; undefined takes it away. */
function valueChange(ctx: ServerContext, c: AppContext, value: unknown): Response {
  const { scope, issue } = issueOf(ctx, c);
  const { workspace } = scope;
  const answer = inTransaction(ctx, (tx) => {
    const property = loadProperty(tx.db, workspace.id, propertyId(c, "propertyId"));
    const properties = changeValue(tx, loadIssue(tx.db, workspace, issue.id), property, value);
    return { properties, issue_revision: touchIssue(tx, issue.id) };
  });
  return json(answer);
}

function propertyId(c: AppContext, name: string): string {
  return uuidOf(c.req.param(name), "property id");
}

import { tokenRequestSchema } from "../../../wire/index.ts";
import { mintTokenRow } from "../../auth/tokens.ts";
import type { ServerContext } from "../../context.ts";
import { all, one, run } from "../../db/query.ts";
import { HttpError, badRequest, notFound } from "../../http-error.ts";
import { readBody, uuidOf } from "../../http/body.ts";
import type { App, AppContext } from "../../http/env.ts";
import { json, noContent } from "../../http/respond.ts";
import { requireHuman } from "../../http/scope.ts";
import { type TokenRow, isoOrNull, tokenWire } from "../../rows/index.ts";
import { inTransaction } from "../../transaction.ts";

const DAY_MS = 24 * 3_600_000;

/** Personal access tokens (server-api.md 13.1.3). Never for agents: a task token must not outlive its task. */
export function tokenRoutes(app: App, ctx: ServerContext): void {
  app.get("/api/tokens", (c) => {
    requireHuman(c);
    const sql = "SELECT * FROM token WHERE kind = 'personal' AND user_id = :userId AND revoked_at IS NULL ORDER BY created_at, id";
    return json(all<TokenRow>(ctx.db, sql, { userId: c.get("principal").userId }).map(tokenWire));
  });

  app.post("/api/tokens", async (c) => {
    requireHuman(c);
    const input = await readBody(c, tokenRequestSchema);
    const name = input.name.trim();
    if (name === "") throw badRequest("name is required");
    const { userId } = c.get("principal");
    const made = inTransaction(ctx, (tx) => {
      const days = input.expires_in_days;
      return mintTokenRow(tx, { kind: "personal", userId, name, expiresAt: days === undefined ? null : tx.now + days * DAY_MS });
    });
    return json({ ...tokenWire(made.row), token: made.text }, 201);
  });

  app.delete("/api/tokens/:id", (c) => {
    requireHuman(c);
    const params = { id: uuidOf(c.req.param("id"), "token id"), userId: c.get("principal").userId };
    const sql = "UPDATE token SET revoked_at = :now WHERE id = :id AND user_id = :userId AND kind = 'personal' AND revoked_at IS NULL";
    const gone = inTransaction(ctx, (tx) => run(tx.db, sql, { ...params, now: tx.now }));
    if (gone === 0) throw notFound("token");
    return noContent();
  });

  app.post("/api/tokens/current/renew", (c) => json(renew(ctx, c)));
}

const RENEW_BELOW_MS = 7 * DAY_MS;
const RENEW_FOR_MS = 90 * DAY_MS;

/** Extends the token in place when it has a week or less to live; its text does not change. */
function renew(ctx: ServerContext, c: AppContext): { expires_at: string; renewed: boolean } {
  const { kind, tokenId } = c.get("principal");
  if (kind !== "personal" || tokenId === undefined) throw badRequest("only personal access tokens can be renewed");
  return inTransaction(ctx, (tx) => {
    const row = one<TokenRow>(tx.db, "SELECT * FROM token WHERE id = :id AND revoked_at IS NULL", { id: tokenId });
    if (row === undefined) throw new HttpError(401, "token is no longer valid");
    if (row.expires_at === null) return { expires_at: "", renewed: false };
    if (row.expires_at - tx.now > RENEW_BELOW_MS) return { expires_at: isoOrNull(row.expires_at) ?? "", renewed: false };
    const expiresAt = tx.now + RENEW_FOR_MS;
    run(tx.db, "UPDATE token SET expires_at = :expiresAt WHERE id = :id", { expiresAt, id: tokenId });
    return { expires_at: isoOrNull(expiresAt) ?? "", renewed: true };
  });
}

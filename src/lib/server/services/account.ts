import { signSession } from "../auth/jwt.ts";
import type { ServerContext } from "../context.ts";
import { insert, one } from "../db/query.ts";
import { notFound } from "../http-error.ts";
import type { UserRow } from "../rows/index.ts";
import type { Tx } from "../transaction.ts";
import { createWorkspace } from "./workspaces.ts";

const SESSION_MS = 30 * 24 * 3_600_000;

/** The user's row. A missing one is 404 `user not found`: it can only have been deleted meanwhile. */
export function loadUser(db: Tx["db"], id: string): UserRow {
  const row = one<UserRow>(db, "SELECT * FROM user WHERE id = :id", { id });
  if (row === undefined) throw notFound("user");
  return row;
}

/** A session token of 30 days for the user (server-api.md 2.1). */
export function sessionFor(ctx: ServerContext, user: UserRow): string {
  const now = ctx.clock.now();
  return signSession(ctx.jwtSecret, {
    sub: user.id,
    email: user.email,
    name: user.name,
    iat: Math.floor(now / 1000),
    exp: Math.floor((now + SESSION_MS) / 1000),
  });
}

/**
 * The local user, created together with the workspace `local` when the database is new (server-api.md 14.2).
 * Idempotent: an existing database keeps whatever it has.
 */
export function ensureLocalUser(tx: Tx): UserRow {
  const known = one<UserRow>(tx.db, "SELECT * FROM user ORDER BY created_at LIMIT 1");
  if (known !== undefined) return known;
  const id = tx.newId();
  insert(tx.db, "user", { id, name: "Local user", email: "local@localhost", created_at: tx.now, updated_at: tx.now });
  createWorkspace(tx, id, { name: "local", slug: "local" });
  return loadUser(tx.db, id);
}

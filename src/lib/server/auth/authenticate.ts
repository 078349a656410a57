import { errorText } from "../../core/index.ts";
import type { ServerContext } from "../context.ts";
import { one, run } from "../db/query.ts";
import { HttpError } from "../http-error.ts";
import type { TokenRow, UserRow } from "../rows/index.ts";
import { verifySession } from "./jwt.ts";
import { findToken } from "./tokens.ts";

/** A credential that was checked. The ids of a task token come from its row, never from a header. */
export interface Principal {
  readonly kind: "personal" | "task" | "daemon" | "session";
  readonly userId: string;
  readonly tokenId?: string;
  readonly agentId?: string;
  readonly taskId?: string;
  /** Set for task and daemon tokens: the one workspace they are good for. */
  readonly workspaceId?: string;
  readonly daemonId?: string;
}

interface Texts {
  readonly missing: string;
  readonly badDaemonToken: string;
}

const USER_TEXTS: Texts = { missing: "missing authorization", badDaemonToken: "invalid token" };
const DAEMON_TEXTS: Texts = { missing: "missing authorization header", badDaemonToken: "invalid daemon token" };

/** Credential of a user route (server-api.md 2.2). Throws 401 or 403. `cookie` is the value of `multica_auth`. */
export function authenticateUser(ctx: ServerContext, authorization: string | undefined, cookie?: string): Principal {
  if (authorization === undefined && cookie !== undefined && cookie !== "") return sessionPrincipal(ctx, cookie);
  const principal = authenticate(ctx, authorization, USER_TEXTS);
  // A daemon token is good for daemon routes only (server-api.md 15.3, 10).
  if (principal.kind === "daemon") throw new HttpError(401, "invalid token");
  return principal;
}

/** Credential of a daemon route or of the daemon socket (server-api.md 2.3): header only, and never a task token. */
export function authenticateDaemon(ctx: ServerContext, authorization: string | undefined): Principal {
  const principal = authenticate(ctx, authorization, DAEMON_TEXTS);
  if (principal.kind === "task") throw new HttpError(401, "invalid token");
  return principal;
}

/** True when the principal may act in a workspace: its bound one, or one its user is a member of. */
export function mayEnterWorkspace(ctx: ServerContext, principal: Principal, workspaceId: string): boolean {
  if (principal.workspaceId !== undefined && principal.workspaceId !== workspaceId) return false;
  if (principal.kind === "daemon") return true;
  const sql = "SELECT 1 FROM member WHERE workspace_id = :workspaceId AND user_id = :userId";
  return one(ctx.db, sql, { workspaceId, userId: principal.userId }) !== undefined;
}

function authenticate(ctx: ServerContext, authorization: string | undefined, texts: Texts): Principal {
  if (authorization === undefined || authorization.trim() === "") throw new HttpError(401, texts.missing);
  const text = /^Bearer +(\S+)$/i.exec(authorization.trim())?.[1];
  if (text === undefined) throw new HttpError(401, "invalid authorization format");
  if (/^(?:mul|mat|mdt)_/.test(text)) return tokenPrincipal(ctx, text, texts);
  // No fleet service stands behind this server, so a cloud-node token can never be checked.
  if (text.startsWith("mcn_")) throw new HttpError(401, "invalid token");
  return sessionPrincipal(ctx, text);
}

function tokenPrincipal(ctx: ServerContext, text: string, texts: Texts): Principal {
  const row = findToken(ctx.db, text, ctx.clock.now());
  if (row === undefined) throw new HttpError(401, text.startsWith("mdt_") ? texts.badDaemonToken : "invalid token");
  requireEnabledUser(ctx, row.user_id);
  touch(ctx, row);
  return {
    kind: row.kind,
    userId: row.user_id,
    tokenId: row.id,
    ...(row.agent_id === null ? {} : { agentId: row.agent_id }),
    ...(row.task_id === null ? {} : { taskId: row.task_id }),
    ...(row.workspace_id === null ? {} : { workspaceId: row.workspace_id }),
    ...(row.daemon_id === null ? {} : { daemonId: row.daemon_id }),
  };
}

function sessionPrincipal(ctx: ServerContext, text: string): Principal {
  const claims = verifySession(ctx.jwtSecret, text, ctx.clock.now());
  if (claims === null) throw new HttpError(401, "invalid token");
  if (claims.sub === undefined) throw new HttpError(401, "invalid claims");
  requireEnabledUser(ctx, claims.sub);
  return { kind: "session", userId: claims.sub };
}

function requireEnabledUser(ctx: ServerContext, userId: string): void {
  const user = one<Pick<UserRow, "disabled">>(ctx.db, "SELECT disabled FROM user WHERE id = :userId", { userId });
  if (user === undefined) throw new HttpError(401, "invalid token");
  if (user.disabled !== 0) throw new HttpError(403, "account disabled");
}

const TOUCH_EVERY_MS = 60_000;

/** Notes the use, at most once a minute: it is a statistic, so a busy database must not fail the request. */
function touch(ctx: ServerContext, row: TokenRow): void {
  const now = ctx.clock.now();
  if (row.last_used_at !== null && now - row.last_used_at < TOUCH_EVERY_MS) return;
  try {
    run(ctx.db, "UPDATE token SET last_used_at = :now WHERE id = :id", { now, id: row.id });
  } catch (error) {
    ctx.logger.warn("token use not recorded", { token: row.id, error: errorText(error) });
  }
}

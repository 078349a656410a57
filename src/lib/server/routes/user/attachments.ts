import { isUuid, uuid } from "../../../core/index.ts";
import { MAX_UPLOAD_BYTES } from "../../../wire/index.ts";
import { type Principal, mayEnterWorkspace } from "../../auth/authenticate.ts";
import type { ServerContext } from "../../context.ts";
import { one } from "../../db/query.ts";
import { HttpError, badRequest, notFound } from "../../http-error.ts";
import { uuidOf } from "../../http/body.ts";
import type { App, AppContext } from "../../http/env.ts";
import { json, noContent } from "../../http/respond.ts";
import { type Scope, namesWorkspace, scopeOf } from "../../http/scope.ts";
import { type AttachmentRow, type TaskRow, attachmentWire } from "../../rows/index.ts";
import { type NewAttachment, createAttachment, deleteAttachment, filesOfIssue, loadAttachment } from "../../services/attachments/attachments.ts";
import { dropFile, openFile, readBytes, storeFile } from "../../services/attachments/files.ts";
import { findIssue } from "../../services/issues.ts";
import { inTransaction } from "../../transaction.ts";
import { issueOf } from "./issues.ts";

/** The most bytes `…/content` shows as text. */
const MAX_TEXT = 2 * 1024 * 1024;
const MAX_NAME = 255;

/** Uploads and what is made of them (server-api.md 13.7). */
export function attachmentRoutes(app: App, ctx: ServerContext): void {
  app.post("/api/upload-file", (c) => upload(ctx, c));

  app.get("/api/attachments/:id", (c) => json(attachmentWire(scoped(ctx, c, scopeOf(ctx, c)))));
  app.get("/api/issues/:id/attachments", (c) => json(filesOfIssue(ctx.db, issueOf(ctx, c).issue.id)));

  app.get("/api/attachments/:id/download", async (c) => {
    const row = visible(ctx, c.get("principal"), attachmentId(c));
    const file = await openFile(ctx, row.id);
    if (file === undefined) throw notFound("attachment");
    return new Response(file.body, {
      headers: {
        "content-type": row.content_type,
        "content-length": String(file.size),
        "content-disposition": `attachment; filename*=UTF-8''${encodeURIComponent(row.filename)}`,
        // What somebody uploaded must not become a page of this server.
        "x-content-type-options": "nosniff",
        "content-security-policy": "sandbox",
      },
    });
  });

  app.get("/api/attachments/:id/content", async (c) => {
    const row = visible(ctx, c.get("principal"), attachmentId(c));
    if (row.size_bytes > MAX_TEXT) throw new HttpError(413, "attachment is too large to show");
    const bytes = await readBytes(ctx, row.id);
    if (bytes === undefined) throw notFound("attachment");
    if (bytes.includes(0)) throw new HttpError(415, "attachment is not text");
    return new Response(bytes.toString("utf8"), { headers: { "content-type": "text/plain; charset=utf-8", "x-content-type-options": "nosniff" } });
  });

  app.delete("/api/attachments/:id", async (c) => {
    const scope = scopeOf(ctx, c);
    const row = inTransaction(ctx, (tx) => {
      const found = scoped(ctx, c, scope);
      deleteAttachment(tx, scope, found);
      return found;
    });
    await dropFile(ctx, row.id);
    return noContent();
  });
}

async function upload(ctx: ServerContext, c: AppContext): Promise<Response> {
  const form = await formOf(c);
  const file = form.get("file");
  if (!(file instanceof File)) throw badRequest("missing file field: file");
  if (file.size > MAX_UPLOAD_BYTES) throw badRequest("file too large or invalid multipart form");
  const scope = namesWorkspace(c) ? uploadScope(ctx, c) : undefined;
  const target = scope === undefined ? {} : targetOf(ctx, scope, form);
  const row: NewAttachment = {
    id: uuid(),
    workspaceId: scope?.workspace.id ?? null,
    filename: nameOf(file.name),
    contentType: /^[\w.+-]+\/[\w.+-]+(?:; ?charset=[\w-]+)?$/i.test(file.type) ? file.type : "application/octet-stream",
    size: file.size,
    target,
  };
  await storeFile(ctx, row.id, new Uint8Array(await file.arrayBuffer()));
  try {
    const actor = scope?.actor ?? { type: "member" as const, userId: c.get("principal").userId };
    const wire = attachmentWire(inTransaction(ctx, (tx) => createAttachment(tx, actor, row)));
    return json(scope === undefined ? { id: wire.id, url: wire.url, filename: wire.filename } : wire);
  } catch (error) {
    await dropFile(ctx, row.id);
    throw error;
  }
}

async function formOf(c: AppContext): Promise<FormData> {
  try {
    return await c.req.formData();
  } catch (error) {
    throw new HttpError(400, "file too large or invalid multipart form", { cause: error });
  }
}

function uploadScope(ctx: ServerContext, c: AppContext): Scope {
  try {
    return scopeOf(ctx, c);
  } catch (error) {
    if (error instanceof HttpError && error.status === 404) throw new HttpError(403, "not a member of this workspace", { cause: error });
    throw error;
  }
}

/** What the file belongs to, from the other fields of the form. */
function targetOf(ctx: ServerContext, scope: Scope, form: FormData): NewAttachment["target"] {
  const field = (name: string): string => {
    const value = form.get(name);
    return typeof value === "string" ? value.trim() : "";
  };
  const workspaceId = scope.workspace.id;
  if (field("task_id") !== "") return taskTarget(ctx, scope, field("task_id"));
  if (field("comment_id") !== "") {
    const sql = "SELECT issue_id FROM comment WHERE id = :id AND workspace_id = :workspaceId";
    const comment = one<{ issue_id: string }>(ctx.db, sql, { id: field("comment_id").toLowerCase(), workspaceId });
    if (comment === undefined) throw new HttpError(403, "invalid comment_id");
    return { issue_id: comment.issue_id, comment_id: field("comment_id").toLowerCase() };
  }
  if (field("issue_id") !== "") {
    const issue = findIssue(ctx.db, scope.workspace, field("issue_id"));
    if (issue === undefined) throw new HttpError(403, "invalid issue_id");
    return { issue_id: issue.id };
  }
  if (field("chat_session_id") !== "") {
    const id = field("chat_session_id").toLowerCase();
    const sql = "SELECT 1 FROM chat_session WHERE id = :id AND workspace_id = :workspaceId AND creator_id = :userId";
    if (scope.actor.type === "agent" || one(ctx.db, sql, { id, workspaceId, userId: scope.actor.userId }) === undefined) {
      throw new HttpError(403, "invalid chat_session_id");
    }
    return { chat_session_id: id };
  }
  return {};
}

/** A file that an agent sends along with its answer in a chat. */
function taskTarget(ctx: ServerContext, scope: Scope, taskId: string): NewAttachment["target"] {
  const id = taskId.toLowerCase();
  if (scope.actor.taskId !== id) throw new HttpError(403, "task_id must match the request's task token");
  const task = one<TaskRow>(ctx.db, "SELECT * FROM task WHERE id = :id", { id });
  return { task_id: id, chat_session_id: task?.chat_session_id ?? null };
}

/** The bare name of the file, whatever path a client put before it. */
function nameOf(name: string): string {
  const bare = (name.split(/[\\/]/).at(-1) ?? "").replace(/[\u0000-\u001f\u007f]/g, "").trim();
  return bare === "" || bare === "." || bare === ".." ? "file" : bare.slice(0, MAX_NAME);
}

function attachmentId(c: AppContext): string {
  return uuidOf(c.req.param("id"), "attachment id");
}

function scoped(ctx: ServerContext, c: AppContext, scope: Scope): AttachmentRow {
  const row = visible(ctx, c.get("principal"), attachmentId(c));
  if (row.workspace_id !== scope.workspace.id) throw notFound("attachment");
  return row;
}

/** A download names no workspace: whoever may enter the file's own may have it, and a chat's file only its two sides. */
function visible(ctx: ServerContext, principal: Principal, id: string): AttachmentRow {
  const row = loadAttachment(ctx.db, id);
  if (row.workspace_id !== null && !mayEnterWorkspace(ctx, principal, row.workspace_id)) throw notFound("attachment");
  if (row.chat_session_id !== null && !inChat(ctx, principal, row.chat_session_id)) throw notFound("attachment");
  return row;
}

function inChat(ctx: ServerContext, principal: Principal, sessionId: string): boolean {
  if (principal.kind !== "task") {
    const sql = "SELECT 1 FROM chat_session WHERE id = :sessionId AND creator_id = :userId";
    return one(ctx.db, sql, { sessionId, userId: principal.userId }) !== undefined;
  }
  const taskId = principal.taskId ?? "";
  return isUuid(taskId) && one(ctx.db, "SELECT 1 FROM task WHERE id = :taskId AND chat_session_id = :sessionId", { taskId, sessionId }) !== undefined;
}

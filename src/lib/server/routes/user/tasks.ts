import { rerunSchema } from "../../../wire/index.ts";
import type { ServerContext } from "../../context.ts";
import { all } from "../../db/query.ts";
import { notFound } from "../../http-error.ts";
import { intQuery, readBody, uuidOf } from "../../http/body.ts";
import type { App, AppContext } from "../../http/env.ts";
import { json } from "../../http/respond.ts";
import { type Scope, scopeOf } from "../../http/scope.ts";
import { type TaskRow, type TaskUsageRow, taskWire } from "../../rows/index.ts";
import { loadIssue } from "../../services/issues.ts";
import { cancelledMessage } from "../../services/chat/drafts.ts";
import { cancelTask, isOwnChat } from "../../services/tasks/cancel.ts";
import { listMessages } from "../../services/tasks/records.ts";
import { rerunIssue } from "../../services/tasks/rerun.ts";
import { VISIBLE, viewerOf } from "../../services/tasks/sight.ts";
import { OPEN_STATES, sqlStates } from "../../services/tasks/states.ts";
import { findTask } from "../../services/tasks/store.ts";
import { type Tx, inTransaction } from "../../transaction.ts";
import { capabilitiesOf } from "../daemon/capabilities.ts";
import { issueOf } from "./issues.ts";

/** What a client says that asks a conversation for its drafts: a turn that had begun gives its question back there, later. */
const KNOWS_DRAFTS = "chat-draft-restore-v1";

/** Tasks as users and agents see them (server-api.md 13.6). */
export function taskRoutes(app: App, ctx: ServerContext): void {
  app.get("/api/issues/:id/active-task", (c) => {
    const { issue } = issueOf(ctx, c);
    const sql = `SELECT * FROM task WHERE issue_id = :id AND status NOT IN ('completed', 'failed', 'cancelled')
      ORDER BY created_at DESC, id DESC`;
    return json({ tasks: all<TaskRow>(ctx.db, sql, { id: issue.id }).map((row) => taskWire(row)) });
  });

  app.get("/api/issues/:id/task-runs", (c) => {
    const { issue } = issueOf(ctx, c);
    const rows = all<TaskRow>(ctx.db, "SELECT * FROM task WHERE issue_id = :id ORDER BY created_at DESC, id DESC", { id: issue.id });
    const usage = usageOf(ctx, issue.id);
    return json(rows.map((row) => taskWire(row, usage.filter((entry) => entry.task_id === row.id))));
  });

  app.post("/api/issues/:id/rerun", async (c) => {
    const scope = scopeOf(ctx, c);
    const input = await readBody(c, rerunSchema);
    const options = input.task_id === undefined || input.task_id === "" ? {} : { taskId: uuidOf(input.task_id, "task_id") };
    const ref = c.req.param("id") ?? "";
    const row = inTransaction(ctx, (tx) => rerunIssue(tx, loadIssue(tx.db, scope.workspace, ref), scope.actor, options));
    return json(taskWire(row), 202);
  });

  app.post("/api/issues/:id/tasks/:taskId/cancel", (c) => {
    const { scope, issue } = issueOf(ctx, c);
    return cancel(ctx, c, scope, (task) => task.issue_id === issue.id);
  });

  app.post("/api/tasks/:taskId/cancel", (c) => cancel(ctx, c, scopeOf(ctx, c), () => true));

  app.get("/api/agent-task-snapshot", (c) => json(taskSnapshot(ctx.db, scopeOf(ctx, c))));

  app.get("/api/tasks/:taskId/messages", (c) => {
    const task = loadTask(ctx.db, scopeOf(ctx, c), c);
    return json(listMessages(ctx.db, task.id, intQuery(c, "since", 0, Number.MAX_SAFE_INTEGER)));
  });
}

/** What is under way in the workspace, and the last run of each agent; conversations of other people are not among them. */
function taskSnapshot(db: Tx["db"], scope: Scope): object[] {
  // Beside max() SQLite takes the other columns from the row that has it.
  const sql = `WITH seen AS (
      SELECT t.*, t.rowid AS place FROM task t WHERE t.workspace_id = :workspaceId AND ${VISIBLE}),
    last AS (SELECT id, max(completed_at) FROM seen WHERE completed_at IS NOT NULL GROUP BY agent_id)
    SELECT * FROM seen WHERE status IN (${sqlStates(OPEN_STATES)}) OR id IN (SELECT id FROM last)
    ORDER BY created_at DESC, place DESC`;
  return all<TaskRow>(db, sql, { workspaceId: scope.workspace.id, viewer: viewerOf(scope.actor) }).map((row) => taskWire(row));
}

function cancel(ctx: ServerContext, c: AppContext, scope: Scope, belongs: (task: TaskRow) => boolean): Response {
  const options = { knowsDrafts: capabilitiesOf(c).has(KNOWS_DRAFTS) };
  const row = inTransaction(ctx, (tx) => {
    const task = loadTask(tx.db, scope, c);
    if (!belongs(task)) throw notFound("task");
    return cancelTask(tx, task.id, scope.actor, options) ?? task;
  });
  const own = row.chat_session_id !== null && isOwnChat(ctx, row.chat_session_id, scope.actor);
  const restored = own ? cancelledMessage(ctx.db, row.id) : undefined;
  return json({ ...taskWire(row), ...(restored === undefined ? {} : { cancelled_chat_message: restored }) });
}

/** The task in the path within the workspace; 404 `task not found`, also for a conversation of somebody else. */
function loadTask(db: Tx["db"], scope: Scope, c: AppContext): TaskRow {
  const task = findTask(db, uuidOf(c.req.param("taskId"), "task id"));
  if (task === undefined || task.workspace_id !== scope.workspace.id) throw notFound("task");
  const { chat_session_id: session, id } = task;
  if (session !== null && scope.actor.taskId !== id && !isOwnChat({ db }, session, scope.actor)) throw notFound("task");
  return task;
}

function usageOf(ctx: ServerContext, issueId: string): TaskUsageRow[] {
  const sql = `SELECT u.* FROM task_usage u JOIN task t ON t.id = u.task_id WHERE t.issue_id = :issueId ORDER BY u.provider, u.model`;
  return all<TaskUsageRow>(ctx.db, sql, { issueId });
}

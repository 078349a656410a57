import { join } from "node:path";
import { onTestFinished } from "vitest";
import { uuid } from "../../src/lib/core/index.ts";
import { HeldClock } from "../../src/lib/platform/index.ts";
import { silentLogger } from "../../src/lib/platform/logger.ts";
import { createBus } from "../../src/lib/server/bus.ts";
import { type Actor, type BusEvent, DEFAULT_LIMITS, DEFAULT_THRESHOLDS, type ServerContext, type Thresholds } from "../../src/lib/server/context.ts";
import { openServerDatabase } from "../../src/lib/server/db/open.ts";
import { all, insert, one, update } from "../../src/lib/server/db/query.ts";
import type { CommentRow, IssueRow, RuntimeRow, TaskRow } from "../../src/lib/server/rows/index.ts";
import { touchRuntime } from "../../src/lib/server/services/daemon/presence.ts";
import { claimNext } from "../../src/lib/server/services/tasks/claim.ts";
import type { ClaimedTask } from "../../src/lib/server/services/tasks/claim-payload.ts";
import { onCommentCreated, onIssueCreated } from "../../src/lib/server/services/tasks/enqueue.ts";
import { startTask } from "../../src/lib/server/services/tasks/lifecycle.ts";
import { type Tx, inTransaction } from "../../src/lib/server/transaction.ts";
import { tempDir } from "./temp.ts";

/** One user, one workspace, one online runtime on a real database file and a held clock: services without sockets. */
export class TaskWorld {
  readonly ctx: ServerContext;
  readonly clock: HeldClock;
  readonly events: BusEvent[] = [];
  readonly userId = uuid();
  readonly workspaceId = uuid();
  readonly runtimeId = uuid();
  readonly member: Actor;
  #issues = 0;

  constructor(ctx: ServerContext, clock: HeldClock) {
    this.ctx = ctx;
    this.clock = clock;
    this.member = { type: "member", userId: this.userId, workspaceId: this.workspaceId };
    const at = { created_at: clock.now(), updated_at: clock.now() };
    this.tx((tx) => {
      insert(tx.db, "user", { id: this.userId, name: "Ada", email: "ada@local", ...at });
      insert(tx.db, "workspace", { id: this.workspaceId, name: "local", slug: "local", issue_prefix: "LOCA", ...at });
      insert(tx.db, "member", { id: uuid(), workspace_id: this.workspaceId, user_id: this.userId, role: "owner", created_at: clock.now() });
      this.insertRuntime(this.runtimeId, "D", "codex");
    });
    ctx.bus.subscribe((event) => this.events.push(event));
  }

  tx<T>(fn: (tx: Tx) => T): T {
    return inTransaction(this.ctx, fn);
  }

  insertRuntime(id: string, daemonId: string, provider: string): void {
    const now = this.clock.now();
    insert(this.ctx.db, "agent_runtime", {
      id,
      workspace_id: this.workspaceId,
      daemon_id: daemonId,
      provider,
      name: provider,
      status: "online",
      owner_id: this.userId,
      last_seen_at: now,
      created_at: now,
      updated_at: now,
    });
  }

  agent(name: string, columns: Record<string, string | number | null> = {}): string {
    const id = uuid();
    const now = this.clock.now();
    const row = { id, workspace_id: this.workspaceId, runtime_id: this.runtimeId, name, owner_id: this.userId, created_at: now, updated_at: now };
    insert(this.ctx.db, "agent", { ...row, ...columns });
    return id;
  }

  /** An issue as the route would create it, its assignee started. */
  issue(assignee: string | null, columns: Record<string, string | number | null> = {}): IssueRow {
    const id = uuid();
    const now = this.clock.now();
    this.#issues += 1;
    return this.tx((tx) => {
      insert(tx.db, "issue", {
        id,
        workspace_id: this.workspaceId,
        number: this.#issues,
        title: `Issue ${this.#issues}`,
        status: "todo",
        priority: "none",
        assignee_type: assignee === null ? null : "agent",
        assignee_id: assignee,
        creator_type: "member",
        creator_id: this.userId,
        created_at: now,
        updated_at: now,
        ...columns,
      });
      const issue = this.load<IssueRow>("issue", id);
      onIssueCreated(tx, issue, this.member);
      return issue;
    });
  }

  comment(issue: IssueRow, content: string, columns: Record<string, string | null> = {}, actor: Actor = this.member): CommentRow {
    const id = uuid();
    const now = this.clock.now();
    return this.tx((tx) => {
      insert(tx.db, "comment", {
        id,
        issue_id: issue.id,
        workspace_id: this.workspaceId,
        author_type: actor.type,
        author_id: actor.agentId ?? actor.userId,
        content,
        created_at: now,
        updated_at: now,
        ...columns,
      });
      const comment = this.load<CommentRow>("comment", id);
      onCommentCreated(tx, issue, comment, actor);
      return comment;
    });
  }

  claim(runtimeId = this.runtimeId, capabilities: string[] = ["coalesced-comments-v1"]): ClaimedTask | null {
    const outcome = claimNext(this.ctx, runtimeId, new Set(capabilities));
    return outcome.kind === "task" ? outcome.task : null;
  }

  /** Claims and starts; fails the test when nothing was there. */
  startNext(): TaskRow {
    const claimed = this.claim();
    if (claimed === null) throw new Error("nothing to claim");
    return this.tx((tx) => startTask(tx, claimed.id));
  }

  beat(runtimeId = this.runtimeId): boolean {
    return this.tx((tx) => touchRuntime(tx, runtimeId));
  }

  task(id: string): TaskRow {
    return this.load<TaskRow>("task", id);
  }

  tasks(issue?: IssueRow): TaskRow[] {
    const rows = all<TaskRow>(this.ctx.db, "SELECT * FROM task ORDER BY created_at, rowid");
    return issue === undefined ? rows : rows.filter((row) => row.issue_id === issue.id);
  }

  comments(issue: IssueRow): CommentRow[] {
    return all<CommentRow>(this.ctx.db, "SELECT * FROM comment WHERE issue_id = :id ORDER BY created_at, rowid", { id: issue.id });
  }

  runtime(): RuntimeRow {
    return this.load<RuntimeRow>("agent_runtime", this.runtimeId);
  }

  set(table: "task" | "agent" | "issue" | "agent_runtime", id: string, columns: Record<string, string | number | null>): void {
    update(this.ctx.db, table, id, columns);
  }

  load<T>(table: string, id: string): T {
    const row = one<T>(this.ctx.db, `SELECT * FROM ${table} WHERE id = :id`, { id });
    if (row === undefined) throw new Error(`no ${table} ${id}`);
    return row;
  }
}

export async function taskWorld(thresholds: Partial<Thresholds> = {}): Promise<TaskWorld> {
  const clock = new HeldClock();
  const dir = tempDir("multica-server-");
  const db = await openServerDatabase(join(dir, "server.sqlite"));
  onTestFinished(() => db.close());
  const ctx: ServerContext = {
    db,
    filesDir: join(dir, "files"),
    clock,
    logger: silentLogger,
    bus: createBus(silentLogger),
    thresholds: { ...DEFAULT_THRESHOLDS, ...thresholds },
    limits: DEFAULT_LIMITS,
    jwtSecret: Buffer.from("test"),
    local: true,
    version: "0.0.0",
  };
  return new TaskWorld(ctx, clock);
}

import { MulticaError } from "../core/index.ts";
import type { Db, SqlValue } from "../platform/index.ts";
import type { ExecProcessPatch, ExecProcessRow } from "../wire/index.ts";
import { asStateError } from "./errors.ts";
import type { WriteQueue } from "./write-queue.ts";

/** Rows of `exec_process`: the commands under exec hosts (exec-sessions.md 13). Values of environments are never among them. */
export interface ExecTable {
  insert(row: ExecProcessRow): void;
  update(xid: string, patch: ExecProcessPatch): void;
  /** All patches or none. */
  updateAll(patches: readonly { readonly xid: string; readonly patch: ExecProcessPatch }[]): void;
  remove(xid: string): void;
  list(): ExecProcessRow[];
}

const COLUMNS = [
  "thread_id process_id generation xid state keep expires_at_ms argv cwd tty stdin cols rows label owner_kind task_id agent_id issue_id",
  "env_root host_pid host_start_key boot_id child_pid child_start_key dir socket proto nonce_hash poll_seq last_used_ms created_at_ms",
  "started_at_ms detached_at_ms exited_at_ms exit_code signal reason last_seq total_bytes dropped_bytes",
].flatMap((line) => line.split(" "));

export function createExecTable(parts: { readonly db: Db; readonly queue: WriteQueue }): ExecTable {
  const { db, queue } = parts;
  return {
    // Before the host is started: after a power cut nothing may run that is not written down.
    insert: (row) => queue.write(`exec ${row.xid}`, () => insert(db, row), { durable: true }),
    update: (xid, patch) => queue.write(`exec ${xid}`, () => update(db, xid, patch)),
    updateAll: (patches) => queue.write("exec", () => patches.forEach(({ xid, patch }) => update(db, xid, patch))),
    remove: (xid) => queue.write(`exec ${xid}`, () => void db.prepare("DELETE FROM exec_process WHERE xid = :xid").run({ xid })),
    list() {
      queue.drain(queue.trouble === "busy");
      try {
        const rows = db.prepare(`SELECT ${COLUMNS.join(", ")} FROM exec_process ORDER BY thread_id, process_id, generation`).all();
        // STRICT columns: the file cannot hold other types than the schema names.
        return rows as unknown as ExecProcessRow[];
      } catch (error) {
        throw asStateError(error, db.path);
      }
    },
  };
}

function insert(db: Db, row: ExecProcessRow): void {
  const values = given(row);
  const columns = Object.keys(values);
  db.prepare(`INSERT INTO exec_process (${columns.join(", ")}) VALUES (${columns.map((column) => `:${column}`).join(", ")})`).run(values);
}

function update(db: Db, xid: string, patch: ExecProcessPatch): void {
  const values = given(patch);
  const columns = Object.keys(values);
  if (columns.length === 0) return;
  db.prepare(`UPDATE exec_process SET ${columns.map((column) => `${column} = :${column}`).join(", ")} WHERE xid = :where_xid`).run({ ...values, where_xid: xid });
}

function given(values: object): Record<string, SqlValue> {
  const row: Record<string, SqlValue> = {};
  for (const [column, value] of Object.entries(values)) {
    if (value === undefined) continue;
    // The names become SQL: nothing but a column may pass.
    if (!COLUMNS.includes(column)) throw new MulticaError("bug", `not a column of exec_process: ${column}`);
    row[column] = value as SqlValue;
  }
  return row;
}

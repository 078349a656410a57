import { statSync } from "node:fs";
import type { Db } from "../../platform/index.ts";
import { schemaVersion } from "../migrate.ts";
import type { IndexStatus } from "./types.ts";
import { writerOf } from "./writer.ts";

/** What the index says of itself (state-db.md 19.3). */
export function indexStatus(db: Db): IndexStatus {
  const count = (table: "home" | "thread"): number => Number(db.scalar(`SELECT count(*) FROM ${table}`) ?? 0);
  const roots = db.prepare("SELECT real_path, archived, status, files, failed, last_success_ms FROM scan_root ORDER BY real_path").all();
  const writer = writerOf(db);
  return {
    path: db.path,
    bytes: statSync(db.path, { throwIfNoEntry: false })?.size ?? 0,
    schema: schemaVersion(db),
    homes: count("home"),
    roots: roots.map((row) => ({
      path: String(row["real_path"]),
      archived: row["archived"] === 1,
      status: String(row["status"]) as "pending" | "running" | "complete",
      files: Number(row["files"]),
      failed: Number(row["failed"]),
      last_success_at: typeof row["last_success_ms"] === "number" ? new Date(row["last_success_ms"]).toISOString() : null,
    })),
    threads: count("thread"),
    backfill: {
      holder: writer === null ? null : { pid: writer.pid, alive: writer.alive },
      renewed_at: writer === null ? null : new Date(writer.renewedAtMs).toISOString(),
    },
  };
}

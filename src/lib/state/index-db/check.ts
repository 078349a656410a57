import type { Db } from "../../platform/index.ts";
import { type StateFinding, brokenReferences } from "../check.ts";
import { quickCheck, schemaFindings } from "../damage.ts";
import { rolloutOwner } from "./rollout/verify.ts";
import { INDEX_MIGRATIONS } from "./schema.ts";
import { writerOf } from "./writer.ts";

export interface CheckOptions {
  /** Every page of the file, and rows against the rollouts they are made from. */
  readonly full: boolean;
  /** All rows; else a sample. */
  readonly all: boolean;
}

const SAMPLE = 1000;
const NAMED = 20;
const SILENT_MS = 60_000;

/** What is wrong with an index; reads only (state-db.md 19.5). Rows are compared with files a piece at a time. */
export async function checkIndex(db: Db, options: CheckOptions, nowMs: number): Promise<StateFinding[]> {
  const findings: StateFinding[] = quickCheck(db, options.full).map((detail) => ({ code: "damage", detail }));
  if (findings.length > 0) return findings;
  findings.push(...brokenReferences(db));
  for (const detail of schemaFindings(db, INDEX_MIGRATIONS)) findings.push({ code: "schema", detail });
  const writer = writerOf(db);
  if (writer !== null && (!writer.alive || nowMs - writer.renewedAtMs > SILENT_MS)) {
    findings.push({ code: "lease", detail: `process ${writer.pid}, which fills the index, ${writer.alive ? "has stood still for more than a minute" : "has ended"}; the next one takes over` });
  }
  const orphans = Number(db.scalar("SELECT count(*) FROM thread WHERE rollout_path NOT IN (SELECT path FROM rollout)"));
  if (orphans > 0) findings.push({ code: "orphan", detail: `${orphans} threads lead to files that the index does not know` });
  if (options.full) findings.push(...(await compareRows(db, options.all)));
  return findings;
}

/** Each thread against the first record of its file. A file that says nothing proves nothing. */
async function compareRows(db: Db, all: boolean): Promise<StateFinding[]> {
  const sql = `SELECT thread_id, rollout_path FROM thread ORDER BY ${all ? "thread_id" : "random()"} LIMIT :limit`;
  const rows = db.prepare(sql).all({ limit: all ? -1 : SAMPLE });
  const findings: StateFinding[] = [];
  let more = 0;
  for (const row of rows) {
    const [id, path] = [String(row["thread_id"]), String(row["rollout_path"])];
    const owner = await rolloutOwner(path);
    const text = owner.kind === "gone" ? `${path} is gone` : owner.kind === "thread" && owner.id !== id ? `${path} is the file of thread ${owner.id}` : null;
    if (text === null) continue;
    if (findings.length < NAMED) findings.push({ code: "row", detail: `thread ${id}: ${text}` });
    else more += 1;
  }
  return more === 0 ? findings : [...findings, { code: "row", detail: `${more} more of ${rows.length} rows that were looked at` }];
}

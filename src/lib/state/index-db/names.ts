import { createReadStream, statSync } from "node:fs";
import { join } from "node:path";
import { asString, isObject, parseJson } from "../../core/index.ts";
import type { Db } from "../../platform/index.ts";
import { LineScanner } from "./rollout/lines.ts";
import { parseTime } from "./rollout/name.ts";

export interface ThreadName {
  readonly name: string;
  readonly updatedMs: number;
}

const FILE = "session_index.jsonl";
const NAME_MAX = 200;

/** Tells whether a home's names changed: size and time of the file, null when there is none. */
export function namesStamp(home: string): string | null {
  const stat = statSync(join(home, FILE), { throwIfNoEntry: false });
  return stat === undefined || !stat.isFile() ? null : `${stat.size}:${stat.mtimeMs}`;
}

/** The names given by hand in one home; the last line of a thread counts (state-db.md 2). Unreadable lines are passed over. */
export async function readNames(home: string): Promise<Map<string, ThreadName>> {
  const names = new Map<string, ThreadName>();
  const scanner = new LineScanner((line) => {
    const value = parseJson(line.toString("utf8"));
    if (!isObject(value)) return;
    const id = asString(value["id"]).toLowerCase();
    if (id === "") return;
    const updatedMs = parseTime(asString(value["updated_at"])) ?? 0;
    names.set(id, { name: asString(value["thread_name"]).trim().slice(0, NAME_MAX), updatedMs });
  });
  try {
    for await (const chunk of createReadStream(join(home, FILE))) scanner.push(chunk as Buffer);
    scanner.end();
  } catch {
    // Gone or unreadable: what was read so far counts.
  }
  return names;
}

/** Inside the caller's transaction: of several homes that name one thread, the latest name counts. An empty name takes it away. */
export function writeNames(db: Db, names: ReadonlyMap<string, ThreadName>): void {
  const put = db.prepare(
    `INSERT INTO thread_name (thread_id, name, updated_at_ms) VALUES (:id, :name, :at)
     ON CONFLICT (thread_id) DO UPDATE SET name = excluded.name, updated_at_ms = excluded.updated_at_ms
       WHERE excluded.updated_at_ms >= thread_name.updated_at_ms`,
  );
  for (const [id, { name, updatedMs }] of names) put.run({ id, name, at: updatedMs });
}

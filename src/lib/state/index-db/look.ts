import { lstatSync } from "node:fs";
import { MulticaError, errorText } from "../../core/index.ts";
import { type Db, openDatabase } from "../../platform/index.ts";
import type { StateFinding } from "../check.ts";
import { asStateError } from "../errors.ts";
import { checkPlace, indexFile } from "../files.ts";
import { checkReadable } from "../migrate.ts";
import { type CheckOptions, checkIndex } from "./check.ts";
import { INDEX_FAMILY, INDEX_MIGRATIONS } from "./schema.ts";
import { indexStatus } from "./status.ts";
import type { IndexStatus } from "./types.ts";

const BUSY_MS = 5000;

/** What an index says of itself, complete or not; null when there is none or it cannot be read. Entry points only. */
export async function readIndexStatus(stateDir: string): Promise<IndexStatus | null> {
  try {
    return await look(stateDir, (db) => Promise.resolve(indexStatus(db)));
  } catch {
    return null;
  }
}

/** What is wrong with an index, which is only read; null when there is none. Entry points only. */
export async function checkIndexFile(stateDir: string, options: CheckOptions & { readonly nowMs: number }): Promise<StateFinding[] | null> {
  try {
    return await look(stateDir, (db) => checkIndex(db, options, options.nowMs));
  } catch (error) {
    if (!(error instanceof MulticaError) || !["state_corrupt", "state_failed", "state_foreign", "state_mismatch"].includes(error.code)) throw error;
    return [{ code: "damage", detail: errorText(error) }];
  }
}

async function look<T>(stateDir: string, ask: (db: Db) => Promise<T>): Promise<T | null> {
  const path = indexFile(stateDir);
  if (lstatSync(path, { throwIfNoEntry: false }) === undefined) return null;
  checkPlace(stateDir, path);
  let db: Db | null = null;
  try {
    db = openDatabase(path, { readOnly: true, busyTimeoutMs: BUSY_MS });
    checkReadable(db, INDEX_MIGRATIONS, INDEX_FAMILY);
    return await ask(db);
  } catch (error) {
    throw asStateError(error, path);
  } finally {
    db?.close();
  }
}

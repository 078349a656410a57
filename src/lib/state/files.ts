import { lstatSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { EXIT, MulticaError, randomHex } from "../core/index.ts";
import { type Db, chmodPath, currentUid, ensureDir, moveFile, openDatabase, removeFile, writeFileIfAbsent } from "../platform/index.ts";
import { schemaVersion } from "./migrate.ts";

const GENERATION = "state_1.sqlite";
const BACKUPS_KEPT = 2;

/** The state file of a profile's state directory (state-db.md 14). */
export function stateFile(stateDir: string): string {
  return join(stateDir, GENERATION);
}

export const INDEX_FILE = "index_1.sqlite";

/** The index of rollouts in the same place (state-db.md 18). */
export function indexFile(stateDir: string): string {
  return join(stateDir, INDEX_FILE);
}

/**
 * Makes the file (0600) when there is none and refuses one that another user could change: a directory writable by
 * others without the sticky bit, a file of another owner, a link. Throws `state_refused` naming what is wrong.
 */
export async function prepareFile(stateDir: string): Promise<string> {
  await ensureDir(stateDir);
  const path = stateFile(stateDir);
  checkPlace(stateDir, path);
  const created = await writeFileIfAbsent(path, "", { mode: 0o600 });
  // Only then: an older file may have been made under a wide umask.
  if (!created && (statSync(path).mode & 0o077) !== 0) await chmodPath(path, 0o600);
  return path;
}

/** The checks of `prepareFile` alone: for those who only read. */
export function checkPlace(stateDir: string, path: string): void {
  const uid = currentUid();
  const directory = statSync(stateDir);
  if ((directory.mode & 0o002) !== 0 && (directory.mode & 0o1000) === 0) {
    throw refused(`${stateDir} is writable by every user`, `Run: chmod o-w ${stateDir}`);
  }
  const file = lstatSync(path, { throwIfNoEntry: false });
  if (file === undefined) return;
  if (!file.isFile()) throw refused(`${path} is not a regular file`, "Move it away.");
  if (uid !== undefined && file.uid !== uid) throw refused(`${path} belongs to another user`, "Run multica as the user who owns it.");
}

function refused(why: string, next: string): MulticaError {
  return new MulticaError("state_refused", `the state database is refused: ${why}`, { exit: EXIT.failed, suggestions: [next] });
}

/**
 * Copies an existing file before it is migrated, to `state_1.sqlite.<from>-<to>.bak` (0600); the last two are kept.
 * A copy that another process's migration got into is thrown away: that process made one of its own.
 */
export async function backUp(db: Db, from: number, to: number): Promise<string | null> {
  const target = `${db.path}.${from}-${to}.bak`;
  const temporary = `${db.path}.${randomHex(6)}.bak-tmp`;
  // Made empty first: SQLite would create it readable for everybody.
  await writeFileIfAbsent(temporary, "", { mode: 0o600 });
  try {
    db.exec(`VACUUM INTO '${temporary.replaceAll("'", "''")}'`);
    if (!isOfVersion(temporary, from)) return null;
    await moveFile(temporary, target);
  } finally {
    await removeFile(temporary);
  }
  await dropOldBackups(db.path);
  return target;
}

function isOfVersion(path: string, version: number): boolean {
  const copy = openDatabase(path, { readOnly: true });
  try {
    return schemaVersion(copy) === version;
  } finally {
    copy.close();
  }
}

async function dropOldBackups(path: string): Promise<void> {
  const directory = join(path, "..");
  const backups = readdirSync(directory)
    .filter((name) => name.startsWith(`${GENERATION}.`) && /\.\d+-\d+\.bak$/.test(name))
    .map((name) => ({ name, at: statSync(join(directory, name)).mtimeMs }))
    .sort((a, b) => b.at - a.at);
  for (const { name } of backups.slice(BACKUPS_KEPT)) await removeFile(join(directory, name));
}

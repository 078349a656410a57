import { all, insert, one, run, update } from "../../db/query.ts";
import { badRequest, notFound } from "../../http-error.ts";
import type { SkillFileRow } from "../../rows/index.ts";
import type { Tx } from "../../transaction.ts";

/** The most files a skill may have: daemons do not read more. */
const MAX_FILES = 256;
const MAX_PATH = 512;
const TOO_MANY = `a skill may have at most ${MAX_FILES} files`;

/** A skill's files by path. */
export function filesOf(db: Tx["db"], skillId: string): SkillFileRow[] {
  return all<SkillFileRow>(db, "SELECT * FROM skill_file WHERE skill_id = :skillId ORDER BY path", { skillId });
}

/** Writes the file at `path`, new or over the old one, and returns its row (server-api.md 13.11). */
export function putFile(tx: Tx, skillId: string, file: { readonly path: string; readonly content: string }): SkillFileRow {
  const path = checkedPath(file.path);
  const known = one<SkillFileRow>(tx.db, "SELECT * FROM skill_file WHERE skill_id = :skillId AND path = :path", { skillId, path });
  const id = known?.id ?? tx.newId();
  if (known !== undefined) update(tx.db, "skill_file", id, { content: file.content, updated_at: tx.now });
  else {
    const count = one<{ count: number }>(tx.db, "SELECT count(*) AS count FROM skill_file WHERE skill_id = :skillId", { skillId })?.count ?? 0;
    if (count >= MAX_FILES) throw badRequest(TOO_MANY);
    insert(tx.db, "skill_file", { id, skill_id: skillId, path, content: file.content, created_at: tx.now, updated_at: tx.now });
  }
  const row = one<SkillFileRow>(tx.db, "SELECT * FROM skill_file WHERE id = :id", { id });
  if (row === undefined) throw new Error("the skill file cannot be read back");
  return row;
}

interface NewFile {
  readonly path: string;
  readonly content: string;
}

/** The files of a request when all of them may be stored; 400 otherwise. To be asked before anything is written. */
export function checkedFiles(files: readonly NewFile[]): NewFile[] {
  const checked = files.map((file) => ({ path: checkedPath(file.path), content: file.content }));
  if (new Set(checked.map((file) => file.path)).size !== checked.length) throw badRequest("duplicate file path");
  if (checked.length > MAX_FILES) throw badRequest(TOO_MANY);
  return checked;
}

/** Puts checked files in the place of all files of the skill. */
export function replaceFiles(tx: Tx, skillId: string, files: readonly NewFile[]): void {
  run(tx.db, "DELETE FROM skill_file WHERE skill_id = :skillId", { skillId });
  for (const file of files) putFile(tx, skillId, file);
}

export function deleteFile(tx: Tx, skillId: string, fileId: string): void {
  const gone = run(tx.db, "DELETE FROM skill_file WHERE id = :fileId AND skill_id = :skillId", { fileId, skillId });
  if (gone === 0) throw notFound("skill file");
}

/**
 * A path within the skill's directory as daemons may write it: relative, slashes, no way out, and not the main document,
 * which the skill's own text becomes.
 */
function checkedPath(path: string): string {
  const segments = path.split("/");
  const bad = segments.some((segment) => segment === "" || segment === "." || segment === "..");
  if (bad || path.length > MAX_PATH || /[\\\u0000-\u001f]/.test(path) || /^[a-z]:/i.test(path)) throw badRequest("invalid file path");
  if (path.toLowerCase() === "skill.md") throw badRequest("SKILL.md is the skill's content, not a file");
  return path;
}

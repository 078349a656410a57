import { readFile, stat } from "node:fs/promises";
import { basename, extname, resolve } from "node:path";
import { createFileApi, type LocalFile } from "../lib/api/files.ts";
import { systemCode } from "../lib/core/index.ts";
import { csvValues } from "./csv.ts";
import { renderError } from "./errors.ts";
import { listFlag } from "./flags.ts";
import { usage } from "./resolve.ts";
import type { Session } from "./session.ts";
import { checkInside } from "./text-input.ts";

export const attachmentFlag = listFlag("file to attach, below the current directory; repeatable, or separated by commas", "<path>");

export interface AttachmentOptions {
  readonly cwd: string;
  readonly allowExternal: boolean;
  readonly note: (line: string) => void;
}

const TYPES: Readonly<Record<string, string>> = {
  ...{ ".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".gif": "image/gif", ".webp": "image/webp", ".svg": "image/svg+xml" },
  ...{ ".pdf": "application/pdf", ".json": "application/json", ".zip": "application/zip", ".gz": "application/gzip" },
  ...{ ".txt": "text/plain", ".log": "text/plain", ".md": "text/markdown", ".csv": "text/csv", ".html": "text/html" },
};

/**
 * All files of `--attachment`, checked and read before anything is sent: a bad second path must not leave the first one
 * behind on the server (cli.md 1.5). Web addresses are left out with a note. Throws usage errors (exit 2).
 */
export async function readAttachments(values: readonly string[] | undefined, options: AttachmentOptions): Promise<LocalFile[]> {
  const files: LocalFile[] = [];
  for (const value of csvValues("attachment", values)) {
    if (/^https?:\/\//i.test(value)) options.note(`Warning: ${value} is a web address and is not attached.`);
    else files.push(await readLocalFile("--attachment", value, options));
  }
  return files;
}

/** One file of this machine as it is uploaded; `flag` is named in the errors. */
export async function readLocalFile(flag: string, value: string, options: { readonly cwd: string; readonly allowExternal: boolean }): Promise<LocalFile> {
  const path = resolve(options.cwd, value);
  if (!options.allowExternal) await checkInside(flag, value, path, options.cwd);
  try {
    // A pipe would be waited for without end.
    if (!(await stat(path)).isFile()) throw usage(`${flag}: ${value} is not a file`);
    return { name: basename(path), type: TYPES[extname(path).toLowerCase()] ?? "application/octet-stream", bytes: new Uint8Array(await readFile(path)) };
  } catch (error) {
    const code = systemCode(error);
    if (code === undefined) throw error;
    throw usage(`${flag}: ${value} ${code === "ENOENT" ? "is not there" : `cannot be read (${code})`}`);
  }
}

/** Uploads the files in their order and returns their ids; the first failure ends it. */
export async function uploadAll(session: Session, files: readonly LocalFile[], target: Readonly<Record<string, string>>, note: (line: string) => void): Promise<string[]> {
  const api = createFileApi(session.options);
  const ids: string[] = [];
  for (const file of files) {
    ids.push((await api.upload(file, target)).id);
    note(`Uploaded ${file.name}.`);
  }
  return ids;
}

/** Uploads to an issue that exists already: what fails is a warning, because a failure would invite a second issue (cli.md 1.2). */
export async function uploadToIssue(session: Session, files: readonly LocalFile[], issue: { id: string; key: string }, note: (line: string) => void): Promise<void> {
  for (const file of files) {
    await uploadAll(session, [file], { issue_id: issue.id }, note).catch((error: unknown) => {
      note(`Warning: ${file.name} could not be attached to ${issue.key}: ${renderError(error).message}`);
    });
  }
}

/** The ids of files that are on the server already: the flags' first, then the quick-create task's own (cli.md 5.8). */
export function attachmentIds(values: readonly string[] | undefined, variable: string | undefined): string[] {
  const ids = csvValues("attachment-id", values);
  return [...new Set([...ids, ...taskAttachments(variable)])];
}

function taskAttachments(variable: string | undefined): string[] {
  if (variable === undefined || variable.trim() === "") return [];
  let list: unknown;
  try {
    list = JSON.parse(variable);
  } catch {
    list = undefined;
  }
  if (!Array.isArray(list) || !list.every((id) => typeof id === "string")) throw usage("MULTICA_QUICK_CREATE_ATTACHMENT_IDS is not a JSON array of texts");
  return list.map((id) => id.trim()).filter((id) => id !== "");
}

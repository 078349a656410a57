import { readFile, stat } from "node:fs/promises";
import { basename, resolve } from "node:path";
import { RequestError } from "../lib/api/errors.ts";
import type { LocalFile } from "../lib/api/files.ts";
import { DEFAULT_TIMEOUT_MS } from "../lib/api/http.ts";
import { asString, EXIT, isObject, parseJson, systemCode } from "../lib/core/index.ts";
import { usage } from "./resolve.ts";
import type { Session } from "./session.ts";

interface NamedSkill {
  readonly id?: string;
  readonly name?: string;
}

/** What came of an import (cli.md 5.13). */
export interface ImportResult {
  readonly status: string;
  readonly reason?: string;
  readonly skill?: NamedSkill;
  readonly existing_skill?: NamedSkill;
  /** Files that the server left out. */
  readonly skipped?: readonly string[];
}

/** Imports take longer than answers: at least a minute (cli.md 4.5). */
export function importTimeout(session: Session): number {
  return Math.max(60_000, (session.options.timeoutMs ?? DEFAULT_TIMEOUT_MS) + 5000);
}

/**
 * The result of an import and the exit code it stands for. A conflict and a refusal that say what they are about are
 * results too, not errors; anything else that fails is thrown.
 */
export async function importResult(work: Promise<unknown>): Promise<{ result: ImportResult; exit: number }> {
  try {
    const body = await work;
    const result = resultOf(body) ?? { status: "created", skill: isObject(body) ? body : {} };
    return { result, exit: exitOf(result) };
  } catch (error) {
    const result = error instanceof RequestError ? resultOf(parseJson(error.body)) : undefined;
    if (result === undefined) throw error;
    return { result, exit: exitOf(result) };
  }
}

function resultOf(body: unknown): ImportResult | undefined {
  if (!isObject(body)) return undefined;
  if (asString(body["status"]) !== "") return body as unknown as ImportResult;
  if (!isObject(body["existing_skill"])) return undefined;
  const reason = "a skill with this name exists: --on-conflict overwrite replaces it, --on-conflict rename keeps both";
  return { ...body, status: "conflict", reason };
}

function exitOf(result: ImportResult): number {
  if (result.status === "conflict") return EXIT.conflict;
  return ["created", "updated", "skipped"].includes(result.status) ? EXIT.done : EXIT.failed;
}

/**
 * What `--file` names, ready to be sent: an archive or a Markdown file as it is, a directory packed as a ZIP archive under
 * its own name. Files of a directory that cannot be part of a skill are left out with a note. Throws usage errors (exit 2).
 */
export async function skillFile(path: string, cwd: string, note: (line: string) => void): Promise<LocalFile> {
  const full = resolve(cwd, path);
  try {
    const facts = await stat(full);
    if (facts.isDirectory()) return await packed(full, path, note);
    if (!facts.isFile()) throw usage(`--file: ${path} is neither a file nor a directory`);
    const bytes = new Uint8Array(await readFile(full));
    if (bytes.length === 0) throw usage(`--file: ${path} is empty`);
    return { name: basename(full), type: "application/octet-stream", bytes };
  } catch (error) {
    const code = systemCode(error);
    if (code === undefined) throw error;
    throw usage(`--file: ${path} ${code === "ENOENT" ? "is not there" : `cannot be read (${code})`}`);
  }
}

async function packed(directory: string, path: string, note: (line: string) => void): Promise<LocalFile> {
  const { mainDocument, supportingFiles } = await import("../lib/agents/inventory/content.ts");
  const { writeZip } = await import("./zip.ts");
  const content = await mainDocument(directory).catch((error: unknown) => {
    throw systemCode(error) === "ENOENT" ? usage(`--file: there is no SKILL.md in ${path}`) : error;
  });
  const files = await supportingFiles(directory, (file, why) => note(`Warning: ${file} is left out (${why}).`));
  const name = basename(directory);
  const archive = writeZip([{ path: "SKILL.md", content }, ...files].map((file) => ({ ...file, path: `${name}/${file.path}` })));
  return { name: `${name}.zip`, type: "application/zip", bytes: new Uint8Array(archive) };
}

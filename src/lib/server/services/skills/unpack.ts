import { documentHead, isMulticaError } from "../../../core/index.ts";
import { badRequest } from "../../http-error.ts";
import type { ArchiveEntry } from "./archive/entry.ts";
import { isGzip, isTar, isZip } from "./archive/kind.ts";

/** The same bounds as for what a daemon reads from its machine (daemon.md 17.2). */
const FILE_MAX = 1024 * 1024;
const TOTAL_MAX = 8 * 1024 * 1024;
const FILES_MAX = 256;
const UNPACKED_MAX = 64 * 1024 * 1024;
const IGNORED = /(?:^|\/)(?:\.[^/]*|__MACOSX|license(?:\.md|\.txt)?)(?:\/|$)/i;

/** What was found in an archive or a document. */
export interface UnpackedSkill {
  readonly name: string;
  readonly description: string;
  readonly content: string;
  readonly files: readonly { readonly path: string; readonly content: string }[];
  /** Files that were left out: links, binary or large ones. */
  readonly skipped: readonly string[];
}

/**
 * The skill in a ZIP or tar(.gz) archive, or in a lone Markdown document. In an archive it is the directory of the one
 * topmost SKILL.md (within `folder`, when given). A path that leads out of the archive refuses all of it. Throws 400.
 */
export async function unpackSkill(bytes: Buffer, fileName: string, folder = ""): Promise<UnpackedSkill> {
  try {
    const entries = await entriesOf(bytes);
    return entries === undefined ? documentSkill(bytes, fileName) : await archivedSkill(entries, fileName, folder);
  } catch (error) {
    if (isMulticaError(error, "bad_archive")) throw badRequest(error.message);
    throw error;
  }
}

/** Undefined when it is no archive. The libraries that read them are loaded when one comes. */
async function entriesOf(bytes: Buffer): Promise<ArchiveEntry[] | undefined> {
  if (isZip(bytes)) return (await import("./archive/zip.ts")).listZip(bytes, UNPACKED_MAX);
  const plain = isGzip(bytes) ? await (await import("./archive/tar.ts")).unpackGzip(bytes, UNPACKED_MAX) : bytes;
  if (isTar(plain)) return (await import("./archive/tar.ts")).listTar(plain);
  if (plain !== bytes) throw badRequest("the archive cannot be read: it holds no tar archive");
  return undefined;
}

function documentSkill(bytes: Buffer, fileName: string): UnpackedSkill {
  const content = bytes.length > FILE_MAX ? undefined : asText(bytes);
  if (content === undefined) throw badRequest("the file is neither a ZIP or tar archive nor a text of at most 1 MiB");
  // What an address shows to people is often a page about the skill.
  if (/^\uFEFF?\s*<(?:!doctype|html)/i.test(content)) throw badRequest("it is a web page, not a skill");
  return named(content, fileName.replace(/\.(?:md|markdown|txt)$/i, ""), [], []);
}

async function archivedSkill(entries: readonly ArchiveEntry[], fileName: string, folder: string): Promise<UnpackedSkill> {
  const all = entries.map((entry) => ({ ...entry, path: entry.path.replace(/^(?:\.\/)+/, "") }));
  for (const entry of all) if (leadsOut(entry.path)) throw badRequest(`invalid file path in the archive: ${JSON.stringify(entry.path.slice(0, 100))}`);
  const main = mainOf(all, folder);
  const root = main.path.slice(0, -"SKILL.md".length);
  const content = await main.read(FILE_MAX);
  const text = content === undefined ? undefined : asText(content);
  if (text === undefined) throw badRequest("SKILL.md is not a text of at most 1 MiB");
  const files: { path: string; content: string }[] = [];
  const skipped: string[] = [];
  let total = 0;
  for (const entry of all) {
    const path = entry.path.slice(root.length);
    if (entry === main || !entry.path.startsWith(root) || IGNORED.test(path)) continue;
    const bytesOf = entry.kind === "file" ? await entry.read(FILE_MAX) : undefined;
    const body = bytesOf === undefined ? undefined : asText(bytesOf);
    if (body === undefined) {
      skipped.push(path);
      continue;
    }
    files.push({ path, content: body });
    total += bytesOf?.length ?? 0;
    if (files.length > FILES_MAX) throw badRequest(`the skill is too large: more than ${FILES_MAX} files`);
    if (total > TOTAL_MAX) throw badRequest("the skill is too large: more than 8 MiB in all");
  }
  return named(text, root.split("/").at(-2) ?? fileName.replace(/\.(?:zip|skill|tar|tgz|tar\.gz)$/i, ""), files, skipped);
}

/** The topmost SKILL.md. Several at the same depth are a collection: which of them is meant, nobody said. */
function mainOf(all: readonly ArchiveEntry[], folder: string): ArchiveEntry {
  const depth = (entry: ArchiveEntry): number => entry.path.split("/").length;
  const inside = (path: string): boolean => folder === "" || `/${path}`.includes(`/${folder}/`);
  const mains = all.filter((entry) => entry.kind === "file" && /(?:^|\/)SKILL\.md$/.test(entry.path) && !/(?:^|\/)(?:\.|__MACOSX\/)/.test(entry.path) && inside(entry.path));
  const top = Math.min(...mains.map(depth));
  const [main, other] = mains.filter((entry) => depth(entry) === top);
  if (main === undefined) throw badRequest("there is no SKILL.md in it");
  if (other !== undefined) throw badRequest("there are several skills in it");
  return main;
}

function named(content: string, fallback: string, files: UnpackedSkill["files"], skipped: readonly string[]): UnpackedSkill {
  const head = documentHead(content);
  return { name: head.name || fallback.trim(), description: head.description, content, files, skipped };
}

function leadsOut(path: string): boolean {
  return /[\\\u0000-\u001f]/.test(path) || /^[a-z]:/i.test(path) || path.split("/").some((part) => part === "" || part === "." || part === "..");
}

function asText(bytes: Buffer): string | undefined {
  if (bytes.includes(0)) return undefined;
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

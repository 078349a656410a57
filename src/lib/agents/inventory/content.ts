import { open, readdir, readFile, stat } from "node:fs/promises";
import { extname, join } from "node:path";
import { MulticaError } from "../../core/index.ts";
import { isIgnored } from "./walk.ts";

const FILE_MAX = 1024 * 1024;
const TOTAL_MAX = 8 * 1024 * 1024;
const FILES_MAX = 256;

/** Endings of files that are no text, so that they need not be opened. */
const BINARY = new Set(
  "png jpg jpeg gif bmp ico webp avif tiff pdf zip gz tgz bz2 xz 7z tar rar jar war class so dylib dll exe bin o a wasm woff woff2 ttf otf eot mp3 mp4 mov avi mkv wav ogg flac sqlite db pyc".split(" "),
);

export interface SkillFileText {
  /** Below the skill, `/`-separated. */
  readonly path: string;
  readonly content: string;
}

/**
 * The supporting files of a skill, sorted: text only, because nothing else survives the way to the server. Links inside
 * are not followed; large and binary files are left out and named in `skipped`. Throws `skill_too_large`.
 */
export async function supportingFiles(directory: string, skipped: (path: string, why: string) => void = () => undefined): Promise<SkillFileText[]> {
  const files: SkillFileText[] = [];
  let total = 0;
  const visit = async (below: string): Promise<void> => {
    const entries = await readdir(join(directory, below), { withFileTypes: true });
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const path = below === "" ? entry.name : `${below}/${entry.name}`;
      if (isIgnored(entry.name) || path === "SKILL.md") continue;
      if (entry.isDirectory()) await visit(path);
      if (!entry.isFile()) continue;
      const content = await textOf(join(directory, path));
      if (typeof content !== "string") {
        skipped(path, content.why);
        continue;
      }
      files.push({ path, content });
      total += Buffer.byteLength(content);
      if (files.length > FILES_MAX) throw tooLarge(`more than ${FILES_MAX} files`);
      if (total > TOTAL_MAX) throw tooLarge("more than 8 MiB in all");
    }
  };
  await visit("");
  return files.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** The main document. Throws `skill_too_large`, and `skill_unreadable` when it is no text. */
export async function mainDocument(directory: string): Promise<string> {
  const path = join(directory, "SKILL.md");
  const content = await textOf(path);
  if (typeof content === "string") return content;
  if (content.why === TOO_LARGE) throw tooLarge("SKILL.md is larger than 1 MiB");
  throw new MulticaError("skill_unreadable", `SKILL.md: ${content.why}`, { suggestions: ["Save it as UTF-8 text."] });
}

const TOO_LARGE = "larger than 1 MiB";

/** The text of a file, or why it has none that can be sent. */
async function textOf(path: string): Promise<string | { readonly why: string }> {
  if (BINARY.has(extname(path).slice(1).toLowerCase())) return { why: "binary by its name" };
  if ((await stat(path)).size > FILE_MAX) return { why: TOO_LARGE };
  const head = await headOf(path);
  if (head.includes(0)) return { why: "binary" };
  const bytes = await readFile(path);
  if (bytes.length > FILE_MAX) return { why: TOO_LARGE };
  if (bytes.includes(0)) return { why: "binary" };
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return { why: "not UTF-8" };
  }
}

async function headOf(path: string): Promise<Buffer> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(4096), 0, 4096, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

function tooLarge(what: string): MulticaError {
  return new MulticaError("skill_too_large", `the skill is too large: ${what}`, { suggestions: ["Remove generated or large files from its directory."] });
}

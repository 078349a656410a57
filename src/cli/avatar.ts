import { stat } from "node:fs/promises";
import { extname, resolve } from "node:path";
import type { LocalFile } from "../lib/api/files.ts";
import { readLocalFile } from "./attachments.ts";
import { usage } from "./resolve.ts";

const EXTENSIONS = [".png", ".jpg", ".jpeg", ".gif", ".webp"];
const MAX_BYTES = 5 * 1024 * 1024;

/** A picture for an agent, checked before anything is sent and again after it was read: it may have grown (cli.md 5.12). */
export async function readAvatar(file: string, cwd: string): Promise<LocalFile> {
  if (!EXTENSIONS.includes(extname(file).toLowerCase())) throw usage(`--file: ${file} is not one of ${EXTENSIONS.map((one) => one.slice(1)).join(", ")}`);
  const size = await stat(resolve(cwd, file)).then((found) => found.size, () => 0);
  if (size > MAX_BYTES) throw tooLarge(file);
  const picture = await readLocalFile("--file", file, { cwd, allowExternal: true });
  if (picture.bytes.byteLength > MAX_BYTES) throw tooLarge(file);
  return picture;
}

function tooLarge(file: string): Error {
  return usage(`--file: ${file} has more than 5 MiB`);
}

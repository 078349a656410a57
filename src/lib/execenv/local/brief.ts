import { lstat } from "node:fs/promises";
import { join, relative } from "node:path";
import { MulticaError, asNumber, asString, isObject, parseJson, sha256Hex } from "../../core/index.ts";
import { isInside, readRegularFile, realPathIfExists, removeFile, restoreTimes, writeFileAtomic } from "../../platform/index.ts";
import { cutBlock, injectBlock } from "../brief/block.ts";
import { lookConfined, readConfined } from "../confined.ts";
import { allProviderFiles } from "../providers.ts";

/** In the env root: what the user's file was before our block went into it. */
const ORIGIN = ".multica_brief_origin.json";

interface Origin {
  readonly base: string;
  /** Relative to `base`. */
  readonly file: string;
  readonly sha256: string;
  readonly accessMs: number;
  readonly modifiedMs: number;
}

/**
 * Puts the brief into a user's own file, so that `removeLocalBrief` can give back its exact bytes and its time. A link
 * to another file of the same directory is followed (`AGENTS.md` → `CLAUDE.md`); one that leads out of it, or a file
 * with several names, is `local_brief_shared`: other directories would get our text.
 */
export async function injectLocalBrief(envRoot: string, base: string, file: string, block: string): Promise<void> {
  const path = await ownPath(base, file);
  const bytes = await readRegularFile(path);
  const present = bytes?.toString("utf8");
  // Not text: what we would write back were not the same bytes.
  if (bytes !== undefined && !Buffer.from(present ?? "").equals(bytes)) throw shared(join(base, file), "is not UTF-8 text");
  const wanted = injectBlock(present, block);
  if (wanted === present) return;
  const facts = present === undefined ? undefined : await lstat(path);
  if (facts !== undefined && facts.nlink > 1) throw shared(join(base, file), "has several names");
  if ((await readConfined(envRoot, ORIGIN)) === undefined) {
    const before = present === undefined ? undefined : cutBlock(present);
    const original = before === undefined ? (present ?? "") : (before ?? "");
    const origin: Origin = { base, file, sha256: sha256Hex(original), accessMs: facts?.atimeMs ?? 0, modifiedMs: facts?.mtimeMs ?? 0 };
    await writeFileAtomic(join(envRoot, ORIGIN), `${JSON.stringify(origin)}\n`, { mode: 0o600 });
  }
  await writeFileAtomic(path, wanted, facts === undefined ? {} : { mode: facts.mode & 0o7777 });
}

/** Takes our block out of the user's file again; a file that held nothing else is removed. Nothing injected: nothing done. */
export async function removeLocalBrief(envRoot: string): Promise<void> {
  const origin = await readOrigin(envRoot);
  if (origin === null) return;
  const path = await ownPath(origin.base, origin.file);
  const bytes = await readRegularFile(path);
  const rest = bytes === undefined ? undefined : cutBlock(bytes.toString("utf8"));
  if (rest === null) await removeFile(path);
  else if (rest !== undefined) {
    await writeFileAtomic(path, rest, { mode: (await lstat(path)).mode & 0o7777 });
    if (sha256Hex(rest) === origin.sha256) await restoreTimes(path, origin.accessMs, origin.modifiedMs);
  }
  await removeFile(join(envRoot, ORIGIN));
}

async function readOrigin(envRoot: string): Promise<Origin | null> {
  const value: unknown = parseJson((await readConfined(envRoot, ORIGIN)) ?? "");
  if (!isObject(value)) return null;
  const origin = { base: asString(value["base"]), file: asString(value["file"]), sha256: asString(value["sha256"]) };
  // Agents can write this file; only a brief of some provider can be in it.
  if (!allProviderFiles().some((files) => files.brief === origin.file)) return null;
  return { ...origin, accessMs: asNumber(value["accessMs"]) ?? 0, modifiedMs: asNumber(value["modifiedMs"]) ?? 0 };
}

async function ownPath(base: string, file: string): Promise<string> {
  const facts = await lookConfined(base, file);
  const path = join(base, file);
  if (facts?.isSymbolicLink() !== true) return path;
  const real = realPathIfExists(path);
  if (real === undefined || !isInside(base, real) || (await lookConfined(base, relative(base, real)))?.isFile() !== true) {
    throw shared(path, "is a link to a place outside the directory");
  }
  return real;
}

function shared(path: string, why: string): MulticaError {
  return new MulticaError("local_brief_shared", `the brief is not written: ${path} ${why}`);
}

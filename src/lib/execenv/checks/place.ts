import { accessSync, constants, lstatSync, readlinkSync } from "node:fs";
import { lstat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { systemCode } from "../../core/index.ts";
import { chmodPath, isInside, moveFile, pathExists, placeNewFile, readRegularFile, realPathIfExists, stagingPath } from "../../platform/index.ts";
import { ensureConfinedDir, lookConfined } from "../confined.ts";
import { ENTRY } from "../layout.ts";
import type { CheckContext } from "./check.ts";

export type PlaceKind = "absent" | "link" | "file" | "directory" | "other";

/** What is at `codex-home/{entry}`; throws `env_symlinked` when the way there is a link. */
export async function placeKind(context: CheckContext, entry: string): Promise<PlaceKind> {
  const facts = await lookConfined(context.target.root, join(ENTRY.codexHome, entry));
  if (facts === undefined) return "absent";
  if (facts.isSymbolicLink()) return "link";
  if (facts.isFile()) return "file";
  return facts.isDirectory() ? "directory" : "other";
}

export type LinkState = "right" | "broken" | "elsewhere";

/**
 * What a link is to `target` (execenv.md 7.3). Right: the same text, or the same real path; but never by way of the
 * workspaces root, where another task could turn it round.
 */
export async function linkState(context: CheckContext, entry: string, target: string): Promise<{ state: LinkState; text: string }> {
  const path = homePath(context, entry);
  const text = readlinkSync(path);
  if (text === target) return { state: "right", text };
  const first = resolve(dirname(path), text);
  const real = resolvable(path);
  if (real === undefined) return { state: "broken", text };
  const roots = [resolve(context.target.workspacesRoot), realPathIfExists(context.target.workspacesRoot) ?? ""].filter((root) => root !== "");
  const direct = !roots.some((root) => isInside(root, first));
  return { state: direct && real === resolvable(target) ? "right" : "elsewhere", text };
}

function resolvable(path: string): string | undefined {
  try {
    return realPathIfExists(path);
  } catch {
    return undefined;
  }
}

export function homePath(context: CheckContext, entry: string): string {
  return join(context.paths.codexHome, entry);
}

/** `codex-home/{entry}`: how findings name places. */
export function shown(entry: string): string {
  return join(ENTRY.codexHome, entry);
}

/** True when something can be reached at `path`, links followed. */
export async function reachable(path: string): Promise<"file" | "directory" | "other" | undefined> {
  const real = resolvable(path);
  if (real === undefined) return undefined;
  try {
    const facts = lstatSync(real);
    return facts.isFile() ? "file" : facts.isDirectory() ? "directory" : "other";
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

const BACKUP = join(ENTRY.codexHome, ".multica", "backup");

/** Moves what is at an entry of the codex-home into its backup directory; returns where to, relative to the env root. */
export async function moveAside(context: CheckContext, entry: string): Promise<string> {
  const { root } = context.target;
  const kind = await placeKind(context, entry);
  await ensureConfinedDir(root, BACKUP, 0o700);
  const name = await freeName(context, `${entry.replace(/[/\\]/g, "_")}.${kind}-${context.stamp}`);
  await moveWhole(homePath(context, entry), join(root, name));
  return name;
}

/** A directory takes another parent only if it may be written to itself; what it was is restored. */
async function moveWhole(from: string, to: string): Promise<void> {
  const facts = await lstat(from);
  const closed = facts.isDirectory() && (facts.mode & 0o200) === 0;
  if (closed) await chmodPath(from, (facts.mode & 0o777) | 0o200);
  await moveFile(from, to);
  if (closed) await chmodPath(to, facts.mode & 0o777);
}

/** False for what is there and may not be read by us: what is in it cannot be told, so it is nobody's to replace. */
export async function isReadable(path: string): Promise<boolean> {
  try {
    accessSync(path, constants.R_OK);
    return true;
  } catch (error) {
    if (["EACCES", "EPERM"].includes(systemCode(error) ?? "")) return false;
    throw error;
  }
}

/** Keeps a copy of a file of the codex-home, unless the same bytes are kept already; returns where, or undefined for no file. */
export async function keepCopy(context: CheckContext, entry: string): Promise<string | undefined> {
  const { root } = context.target;
  const bytes = await readRegularFile(homePath(context, entry));
  if (bytes === undefined) return undefined;
  await ensureConfinedDir(root, BACKUP, 0o700);
  const plain = join(BACKUP, entry.replace(/[/\\]/g, "_"));
  for (let attempt = 0; ; attempt += 1) {
    const name = attempt === 0 ? plain : `${plain}.${context.stamp}${attempt === 1 ? "" : `-${attempt}`}`;
    if ((await readRegularFile(join(root, name)))?.equals(bytes) === true) return name;
    // Whole or not at all: half a copy would pass for what somebody wrote.
    if (await placeNewFile(join(root, name), bytes, { staging: stagingPath(join(root, name)), mode: 0o600 })) return name;
  }
}

async function freeName(context: CheckContext, wanted: string): Promise<string> {
  for (let attempt = 0; ; attempt += 1) {
    const name = join(BACKUP, attempt === 0 ? wanted : `${wanted}-${attempt}`);
    if (!(await pathExists(join(context.target.root, name)))) return name;
  }
}

/** Renames a file of the environment to `{name}.bad-{time}`; returns the new name. */
export async function setAside(context: CheckContext, path: string): Promise<string> {
  for (let attempt = 0; ; attempt += 1) {
    const to = `${path}.bad-${context.stamp}${attempt === 0 ? "" : `-${attempt}`}`;
    if (await pathExists(join(context.target.root, to))) continue;
    await moveFile(join(context.target.root, path), join(context.target.root, to));
    return to;
  }
}

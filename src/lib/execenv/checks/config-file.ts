import { join } from "node:path";
import { parse } from "smol-toml";
import { MulticaError, errorText } from "../../core/index.ts";
import { readRegularFile, readTextIfExists, realPathIfExists, removeFile, writeFileAtomic } from "../../platform/index.ts";
import { configInvalid, planConfig } from "../codex/config/render.ts";
import { type Check, type CheckContext, finding } from "./check.ts";
import { homePath, keepCopy, linkState, moveAside, placeKind, reachable, shown } from "./place.ts";
import type { Finding } from "./types.ts";

export const CONFIG = "config.toml";

/** `config.toml` is there, is a file of its own and can be read (execenv.md 7.4). Existing text is never given up. */
export const configFileCheck: Check = {
  id: "config-file",
  section: "codex",
  codes: ["CH_CONFIG_MISSING", "CH_CONFIG_SYMLINK", "CH_CONFIG_NOT_FILE", "CH_CONFIG_UNPARSEABLE", "CH_CONFIG_UNREADABLE", "CH_CONFIG_SHARED_UNPARSEABLE"],

  async check(context) {
    if (context.codex === undefined) return [];
    const own = await checkOwn(context);
    const shared = await checkShared(context, own);
    const why = shared.find((one) => one.severity === "error");
    // What has to be made from a broken file waits for a person: trying would only move the old thing away.
    return [...own.map((one) => (why !== undefined && NEEDS_SHARED.has(one.code) ? { ...one, fix: "manual" as const, actual: `${one.actual}, and ${why.actual}`, hint: why.hint } : one)), ...shared];
  },

  async repair(context, found) {
    let backup: string | undefined;
    if (found.code === "CH_CONFIG_SYMLINK") return repairLink(context);
    if (found.code !== "CH_CONFIG_MISSING") backup = found.code === "CH_CONFIG_UNPARSEABLE" ? await keepCopy(context, CONFIG) : await moveAside(context, CONFIG);
    await seed(context);
    return { backup };
  },
};

async function checkOwn(context: CheckContext): Promise<Finding[]> {
  const facts = { path: shown(CONFIG), expected: "a file with the managed blocks" };
  const kind = await placeKind(context, CONFIG);
  if (kind === "absent") return [finding("CH_CONFIG_MISSING", { ...facts, actual: "absent" })];
  if (kind === "link") return [finding("CH_CONFIG_SYMLINK", { ...facts, actual: "link" })];
  if (kind !== "file") return [finding("CH_CONFIG_NOT_FILE", { ...facts, actual: kind })];
  const read = await readConfig(context).catch((error: unknown) => ({ error: errorText(error) }));
  if (read === undefined) return [finding("CH_CONFIG_MISSING", { ...facts, actual: "absent" })];
  if ("error" in read) return [finding("CH_CONFIG_UNREADABLE", { ...facts, actual: `cannot be read: ${read.error}` })];
  try {
    if (!read.wellFormed) throw new MulticaError("codex_config_invalid", "it is not UTF-8");
    planConfig(read.text, context.codex?.wants ?? { sandbox: "workspace-write", multiAgent: true, memory: true });
    return [];
  } catch (error) {
    return [finding("CH_CONFIG_UNPARSEABLE", { ...facts, actual: errorText(error) })];
  }
}

/** Repaired by taking the user's file. */
const NEEDS_SHARED: ReadonlySet<string> = new Set(["CH_CONFIG_MISSING", "CH_CONFIG_SYMLINK", "CH_CONFIG_NOT_FILE", "CH_CONFIG_UNPARSEABLE"]);

/** A broken file of the user matters to this home only when it has to be copied; it is told in any case. */
async function checkShared(context: CheckContext, own: readonly Finding[]): Promise<Finding[]> {
  const path = sharedConfig(context);
  try {
    parse((await readTextIfExists(path)) ?? "");
    return [];
  } catch (error) {
    const needed = own.some((one) => NEEDS_SHARED.has(one.code));
    return [finding("CH_CONFIG_SHARED_UNPARSEABLE", { path, expected: "valid TOML", actual: errorText(configInvalid(error, path)), severity: needed ? "error" : "warn" })];
  }
}

/** An operator's link to the global file becomes a copy of it; any other link is kept aside and its target never read. */
async function repairLink(context: CheckContext): Promise<{ backup?: string | undefined }> {
  const source = sharedConfig(context);
  const toShared = realPathIfExists(source) !== undefined && (await linkState(context, CONFIG, source)).state === "right";
  const backup = toShared ? undefined : await moveAside(context, CONFIG);
  if (toShared) await removeFile(homePath(context, CONFIG));
  await seed(context);
  return { backup };
}

/** Writes the user's `config.toml`, or nothing but our blocks, with the network allowed. */
async function seed(context: CheckContext): Promise<void> {
  if (context.codex === undefined) return;
  const source = sharedConfig(context);
  const text = (await reachable(source)) === "file" ? ((await readTextIfExists(source)) ?? "") : "";
  try {
    await writeFileAtomic(homePath(context, CONFIG), planConfig(text, context.codex.wants).text, { mode: 0o600 });
  } catch (error) {
    throw error instanceof MulticaError ? configInvalid(error.cause ?? error, source) : error;
  }
}

/** The text and mode of the home's own file; undefined when there is none. Never behind a link. */
export async function readConfig(context: CheckContext): Promise<{ text: string; wellFormed: boolean } | undefined> {
  const bytes = await readRegularFile(homePath(context, CONFIG));
  if (bytes === undefined) return undefined;
  const text = bytes.toString("utf8");
  return { text, wellFormed: Buffer.from(text, "utf8").equals(bytes) };
}

export function sharedConfig(context: CheckContext): string {
  return join(context.codex?.sharedHome ?? "", CONFIG);
}

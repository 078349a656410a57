import { lstat, readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { ensureDir, makeDirectory, moveFile, pathExists, removeFile } from "../../platform/index.ts";
import { lookConfined } from "../confined.ts";
import { ENTRY } from "../layout.ts";
import { type Check, type CheckContext, finding } from "./check.ts";
import { placeKind, shown } from "./place.ts";
import type { Finding } from "./types.ts";

/** The home itself. */
export const homeCheck: Check = {
  id: "codex-home",
  section: "codex",
  codes: ["CH_MISSING"],

  async check(context) {
    if (context.codex === undefined) return [];
    const facts = await lookConfined(context.target.root, ENTRY.codexHome);
    if (facts?.isDirectory() === true) return [];
    const actual = facts === undefined ? "absent" : facts.isSymbolicLink() ? "link" : "no directory";
    return [finding("CH_MISSING", { path: ENTRY.codexHome, expected: "a directory", actual, fix: facts === undefined ? "auto" : "manual", hint: facts === undefined ? "" : "Move it away: Codex cannot start in it." })];
  },

  async repair(context) {
    await ensureDir(dirname(context.paths.codexHome));
    await makeDirectory(context.paths.codexHome, 0o700);
    return {};
  },
};

/** The directory that backups go to has to be one before anything is moved into it. */
export const backupCheck: Check = {
  id: "backup",
  section: "codex",
  codes: ["CH_BACKUP_NOT_DIR"],

  async check(context) {
    if (context.codex === undefined) return [];
    for (const entry of [".multica", join(".multica", "backup")]) {
      const kind = await placeKind(context, entry);
      if (kind === "absent") return [];
      if (kind !== "directory") return [finding("CH_BACKUP_NOT_DIR", { path: shown(entry), expected: "a directory", actual: kind })];
    }
    return [];
  },

  async repair(context, found) {
    for (let attempt = 0; ; attempt += 1) {
      const name = `${found.path}.aside-${context.stamp}${attempt === 0 ? "" : `-${attempt}`}`;
      if (await pathExists(join(context.target.root, name))) continue;
      await moveFile(join(context.target.root, found.path), join(context.target.root, name));
      return { backup: name };
    }
  },
};

/** Names our own writers give to content that is not complete yet. */
const STAGING = /^\.(auth\.json|config\.toml|config\.json|instructions\.md|sessions|cache|models_cache\.json|\.models_cache_config\.sha256|\.multica_env\.json|\.managed_env\.json|\.task_owner|\.gc_meta\.json)\.[0-9a-f]{12}\.tmp$/;

/** What a write that was killed left behind. */
export const stagingCheck: Check = {
  id: "staging",
  section: "codex",
  codes: ["CH_TEMP_LEFTOVER"],

  async check(context) {
    const found: Finding[] = [];
    for (const directory of ["", ENTRY.codexHome, join(ENTRY.codexHome, "plugins")]) {
      for (const name of await stagingIn(context, directory)) found.push(finding("CH_TEMP_LEFTOVER", { path: join(directory, name), expected: "nothing", actual: "an unfinished write" }));
    }
    return found;
  },

  async repair(context, found) {
    await removeFile(join(context.target.root, found.path));
    return {};
  },
};

async function stagingIn(context: CheckContext, directory: string): Promise<string[]> {
  const path = join(context.target.root, directory);
  const facts = await lookConfined(context.target.root, directory).catch(() => undefined);
  if (facts?.isDirectory() !== true) return [];
  const names = (await readdir(path)).filter((name) => STAGING.test(name));
  const kinds = await Promise.all(names.map(async (name) => ({ name, directory: (await lstat(join(path, name))).isDirectory() })));
  return kinds.filter((one) => !one.directory).map((one) => one.name);
}

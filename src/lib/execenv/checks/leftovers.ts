import { dirname, join } from "node:path";
import { ensureDir, makeDirectory, moveFile, pathExists } from "../../platform/index.ts";
import { lookConfined } from "../confined.ts";
import { ENTRY } from "../layout.ts";
import { type Check, finding } from "./check.ts";
import { placeKind, shown } from "./place.ts";

/** The home itself. */
export const homeCheck: Check = {
  id: "codex-home",
  section: "codex",
  codes: ["CH_MISSING"],
  gate: (one) => one.fix === "manual",

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

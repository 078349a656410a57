import { dirname, join } from "node:path";
import { isMulticaError, systemCode } from "../../core/index.ts";
import { chmodPath } from "../../platform/index.ts";
import { lookConfined } from "../confined.ts";
import { ENTRY } from "../layout.ts";
import { type Check, type CheckContext, finding } from "./check.ts";
import { references } from "./referenced.ts";
import type { Finding } from "./types.ts";

/** What the owner of a directory needs to look into it and to put things into it. */
const ALL = 0o700;

/**
 * The directories of the home that this product and Codex write in can be entered and written. Nothing in one that is
 * closed can be looked at, so that finding stands alone.
 */
export const modesCheck: Check = {
  id: "modes",
  section: "codex",
  codes: ["CH_DIR_MODE"],
  gate: (one) => one.actual.endsWith("closed"),

  async check(context) {
    if (context.codex === undefined) return [];
    const found: Finding[] = [];
    for (const directory of await directories(context)) {
      const mode = await modeOf(context, directory);
      if (mode === undefined || (mode & ALL) === ALL) continue;
      const closed = (mode & 0o500) !== 0o500;
      found.push(finding("CH_DIR_MODE", { path: directory, expected: "readable and writable by its owner", actual: `0${mode.toString(8)}, ${closed ? "closed" : "read-only"}` }));
    }
    return found;
  },

  async repair(context) {
    // From the outside in: what lies in a closed directory shows only when that one is open.
    for (const directory of FIXED) await open(context, directory);
    for (const directory of await directories(context)) await open(context, directory);
    return {};
  },
};

const FIXED = ["", "plugins", "skills", ".multica", join(".multica", "backup")].map((name) => join(ENTRY.codexHome, name));

/** Ours by name, and those of the files that the configuration names; relative to the env root. */
async function directories(context: CheckContext): Promise<string[]> {
  const named = (await references(context)).flatMap(({ value }) => parentsOf(value)).map((parent) => join(ENTRY.codexHome, parent));
  return [...new Set([...FIXED, ...named.filter((path) => path.startsWith(`${ENTRY.codexHome}/`))])];
}

/** Directories on the way to a relative file, outermost first. */
function parentsOf(value: string): string[] {
  const parent = dirname(value);
  return value.startsWith("/") || value.startsWith("~") || parent === "." || parent === dirname(parent) ? [] : [...parentsOf(parent), parent];
}

async function open(context: CheckContext, directory: string): Promise<void> {
  const mode = await modeOf(context, directory);
  if (mode !== undefined && (mode & ALL) !== ALL) await chmodPath(join(context.target.root, directory), mode | ALL);
}

/** Undefined for what is no directory, lies behind a link, or in a directory that is closed itself. */
async function modeOf(context: CheckContext, directory: string): Promise<number | undefined> {
  try {
    const facts = await lookConfined(context.target.root, directory);
    return facts?.isDirectory() === true ? facts.mode & 0o777 : undefined;
  } catch (error) {
    if (isMulticaError(error, "env_symlinked") || isMulticaError(error, "env_outside") || systemCode(error) === "EACCES") return undefined;
    throw error;
  }
}

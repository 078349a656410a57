import { isAbsolute, join, normalize, sep } from "node:path";
import { parse } from "smol-toml";
import { errorText, isMulticaError } from "../../core/index.ts";
import { copyIfAbsent } from "../../platform/index.ts";
import { ensureConfinedDir, lookConfined } from "../confined.ts";
import { ENTRY } from "../layout.ts";
import { type Check, type CheckContext, finding } from "./check.ts";
import { CONFIG, readConfig } from "./config-file.ts";
import { homePath, isReadable, moveAside, placeKind, reachable, shown } from "./place.ts";
import type { Finding } from "./types.ts";

const KEYS = ["model_catalog_json", "model_instructions_file", "experimental_instructions_file"] as const;

/**
 * The files that `config.toml` names: Codex resolves relative names against its own home and does not start without
 * them (execenv.md 7.5). Copied when missing; never through a link, never out of the home.
 */
export const referencedCheck: Check = {
  id: "referenced",
  section: "codex",
  codes: ["CH_REF_MISSING", "CH_REF_OUTSIDE"],

  async check(context) {
    const findings: Finding[] = [];
    for (const { key, value } of await references(context)) findings.push(...(await checkReference(context, key, value)));
    return findings;
  },

  async repair(context, found) {
    const reference = (await references(context)).find(({ value }) => shown(normalize(value)) === found.path);
    if (reference === undefined) return {};
    const path = normalize(reference.value);
    const backup = (await placeKind(context, path)) === "absent" ? undefined : await moveAside(context, path);
    await ensureConfinedDir(context.target.root, join(ENTRY.codexHome, path, ".."));
    await copyIfAbsent(join(context.codex?.sharedHome ?? "", path), homePath(context, path));
    return { backup };
  },
};

async function checkReference(context: CheckContext, key: string, value: string): Promise<Finding[]> {
  const home = context.target.host.home;
  if (value.startsWith("~") && !value.startsWith("~/")) return [outside(key, value, "the home of another user")];
  if (isAbsolute(value) || value.startsWith("~/")) {
    const path = value.startsWith("~/") ? join(home, value.slice(2)) : value;
    const missing = (await reachable(path)) === undefined;
    return missing ? [finding("CH_REF_MISSING", { path, expected: `the file that ${key} names`, actual: `${key} names ${path}, which does not exist`, fix: "manual", hint: "Put the file there, or correct the key." })] : [];
  }
  const path = normalize(value);
  if (path === ".." || path === "." || path.startsWith(`..${sep}`)) return [outside(key, value, "it leaves the Codex home")];
  try {
    await lookConfined(context.target.root, join(ENTRY.codexHome, path));
  } catch (error) {
    if (isMulticaError(error, "env_symlinked")) return [outside(key, value, errorText(error))];
    throw error;
  }
  const kind = await placeKind(context, path);
  if (kind === "file" && (await isReadable(homePath(context, path)))) return [];
  if (kind === "file") return [finding("CH_REF_MISSING", { path: shown(path), expected: `the file that ${key} names`, actual: "it cannot be read", fix: "manual", hint: "Give yourself the right to read it." })];
  const source = join(context.codex?.sharedHome ?? "", path);
  const found = await reachable(source);
  const facts = { path: shown(path), expected: `a copy of ${source}, which ${key} names` };
  if (found === "file") return [finding("CH_REF_MISSING", { ...facts, actual: kind })];
  const why = found === undefined ? `${key} names ${source}, which does not exist` : `${key} names ${source}, which is not a regular file`;
  return [finding("CH_REF_MISSING", { ...facts, actual: why, fix: "manual", hint: "Put the file there, or correct the key." })];
}

function outside(key: string, value: string, why: string): Finding {
  return finding("CH_REF_OUTSIDE", { path: `${shown(CONFIG)}#${key}`, expected: "a file in the Codex home", actual: `${key} names ${value}, which leaves the Codex home: ${why}` });
}

/** The files that the home's `config.toml` names; none while it cannot be read, which is a finding of its own. */
export async function references(context: CheckContext): Promise<{ key: string; value: string }[]> {
  if (context.codex === undefined) return [];
  const text = (await readConfig(context).catch(() => undefined))?.text ?? "";
  try {
    const config = parse(text);
    return KEYS.flatMap((key) => {
      const value = config[key];
      return typeof value === "string" && value !== "" ? [{ key, value }] : [];
    });
  } catch {
    return [];
  }
}

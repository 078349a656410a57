import { stat } from "node:fs/promises";
import { dirname, isAbsolute, join, normalize, sep } from "node:path";
import { parse } from "smol-toml";
import { MulticaError, errorText, systemCode } from "../../core/index.ts";
import { copyFile, ensureDir, pathExists } from "../../platform/index.ts";

const KEYS = ["model_catalog_json", "model_instructions_file", "experimental_instructions_file"] as const;

/**
 * Copies the files that `config.toml` names relative to the shared home: Codex resolves them against its own home and
 * does not start without them (execenv.md 7.5). Copied only when missing. Throws `codex_config_invalid`, naming key and
 * path, when such a file is not there or lies outside the home.
 */
export async function copyReferencedFiles(home: string, sharedHome: string, configText: string): Promise<void> {
  const config = parse(configText);
  for (const key of KEYS) {
    const value = config[key];
    if (typeof value !== "string" || value === "" || isAbsolute(value) || value.startsWith("~")) continue;
    await copyReferenced(home, sharedHome, key, normalize(value));
  }
}

async function copyReferenced(home: string, sharedHome: string, key: string, path: string): Promise<void> {
  if (path === ".." || path.startsWith(`..${sep}`)) throw invalid(`${key} names ${path}, which leaves the Codex home`);
  const target = join(home, path);
  if (await pathExists(target)) return;
  const source = join(sharedHome, path);
  try {
    if (!(await stat(source)).isFile()) throw invalid(`${key} names ${source}, which is not a regular file`);
  } catch (error) {
    if (systemCode(error) === "ENOENT") throw invalid(`${key} names ${source}, which does not exist`);
    throw error instanceof MulticaError ? error : invalid(`${key}: cannot look at ${source}: ${errorText(error)}`);
  }
  await ensureDir(dirname(target));
  await copyFile(source, target);
}

function invalid(message: string): MulticaError {
  return new MulticaError("codex_config_invalid", message, { suggestions: ["Correct that key in the Codex configuration."] });
}

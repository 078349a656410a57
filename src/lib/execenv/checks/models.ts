import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { isAbsolute, join } from "node:path";
import { parse } from "smol-toml";
import { systemCode } from "../../core/index.ts";
import { copyIfAbsent, readRegularFile, writeFileAtomic } from "../../platform/index.ts";
import { type Check, type CheckContext, finding } from "./check.ts";
import { homePath, isReadable, moveAside, placeKind, reachable, shown } from "./place.ts";

const CACHE = "models_cache.json";
const BINDING = ".models_cache_config.sha256";

/**
 * `models_cache.json` does not say which provider it came from, so it is bound to the configuration it was copied under
 * and given up when that changed (execenv.md 7.6). Copied once, into a home that has neither cache nor binding.
 */
export const modelsCheck: Check = {
  id: "models-cache",
  section: "codex",
  codes: ["CH_MODELS_CACHE_UNBOUND"],

  async check(context) {
    if (context.codex === undefined) return [];
    const cache = await placeKind(context, CACHE);
    const bound = await boundTo(context);
    const closed = cache === "file" && !(await isReadable(homePath(context, CACHE)));
    const right = bound === (await fingerprint(context)) && (cache === "file" || cache === "absent") && !closed;
    if (right) return [];
    const actual = cache !== "file" && cache !== "absent" ? `the cache is a ${cache}` : closed ? "the cache cannot be read" : bound === undefined ? "not bound" : "bound to another configuration";
    return [finding("CH_MODELS_CACHE_UNBOUND", { path: shown(CACHE), expected: "bound to the user's configuration", actual })];
  },

  async repair(context) {
    const cache = await placeKind(context, CACHE);
    const binding = await placeKind(context, BINDING);
    const fresh = cache === "absent" && binding === "absent";
    const backup = cache === "absent" ? undefined : await moveAside(context, CACHE);
    const source = join(context.codex?.sharedHome ?? "", CACHE);
    if (fresh && (await reachable(source)) === "file") await copyIfAbsent(source, homePath(context, CACHE), { mode: 0o600 });
    const kept = binding === "absent" || binding === "file" ? undefined : await moveAside(context, BINDING);
    await writeFileAtomic(homePath(context, BINDING), `${await fingerprint(context)}\n`, { mode: 0o600 });
    return { backup: backup ?? kept };
  },
};

/** What the cache is bound to; undefined also for a binding that cannot be read: it is made anew. */
async function boundTo(context: CheckContext): Promise<string | undefined> {
  const bytes = await readRegularFile(homePath(context, BINDING)).catch(() => undefined);
  return bytes?.toString("utf8").trim();
}

/** SHA-256 over the user's `config.json`, `config.toml` and the catalog that it names. */
async function fingerprint(context: CheckContext): Promise<string> {
  const shared = context.codex?.sharedHome ?? "";
  const hash = createHash("sha256");
  const config = await bytes(join(shared, "config.toml"));
  const catalog = catalogOf(config);
  for (const part of [await bytes(join(shared, "config.json")), config, catalog === undefined ? undefined : await bytes(isAbsolute(catalog) ? catalog : join(shared, catalog))]) {
    hash.update(part === undefined ? "-" : `${part.length}:`).update(part ?? "");
  }
  return hash.digest("hex");
}

function catalogOf(config: Buffer | undefined): string | undefined {
  try {
    const value = parse(config?.toString("utf8") ?? "")["model_catalog_json"];
    return typeof value === "string" && value !== "" && !value.startsWith("~") ? value : undefined;
  } catch {
    return undefined;
  }
}

async function bytes(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if (["ENOENT", "ENOTDIR", "EISDIR", "EACCES", "ELOOP"].includes(systemCode(error) ?? "")) return undefined;
    throw error;
  }
}

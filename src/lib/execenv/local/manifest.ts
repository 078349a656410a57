import { isAbsolute, join, relative, sep } from "node:path";
import { asString, isObject, parseJson } from "../../core/index.ts";
import { removeFile, writeFileAtomic } from "../../platform/index.ts";
import { readConfined } from "../confined.ts";
import { allProviderFiles } from "../providers.ts";

/** Wire name; it lies in the env root, never in the user's directory. */
const FILE = ".multica_sidecar_manifest.json";

/** A file that is about to be written: after a crash only these very bytes are ours to remove. */
export interface Intent {
  readonly path: string;
  readonly staging: string;
  readonly sha256: string;
}

/** What we made in a user's directory (execenv.md 11.2). All paths are absolute and below `base`. */
export interface SidecarManifest {
  readonly base: string;
  readonly files: readonly string[];
  /** In the order of their making, outermost first. */
  readonly dirs: readonly string[];
  readonly intents: readonly Intent[];
}

export async function writeManifest(envRoot: string, manifest: SidecarManifest): Promise<void> {
  await writeFileAtomic(join(envRoot, FILE), `${JSON.stringify(manifest, null, 2)}\n`, { mode: 0o600 });
}

export async function removeManifest(envRoot: string): Promise<void> {
  await removeFile(join(envRoot, FILE));
}

/**
 * The manifest of an env root; null: there is none. Agents can write it, so it is believed only as far as it names
 * things that we could have put there: everything else, and one that does not parse, is `corrupt`.
 */
export async function readManifest(envRoot: string): Promise<SidecarManifest | "corrupt" | null> {
  const text = await readConfined(envRoot, FILE);
  if (text === undefined) return null;
  const value: unknown = parseJson(text);
  if (!isObject(value)) return "corrupt";
  const base = asString(value["base"]);
  const files = texts(value["files"]);
  const dirs = texts(value["dirs"]);
  const intents = intentsOf(value["intents"]);
  if (!isAbsolute(base) || files === null || dirs === null || intents === null) return "corrupt";
  const paths = [...files, ...dirs, ...intents.flatMap((intent) => [intent.path, intent.staging])];
  return paths.every((path) => isOurKind(base, path)) ? { base, files, dirs, intents } : "corrupt";
}

/** True for a place that a sidecar of some provider can have. */
function isOurKind(base: string, path: string): boolean {
  const way = relative(base, path);
  if (way === "" || isAbsolute(way) || way.split(sep).includes("..")) return false;
  const slashed = way.split(sep).join("/");
  return [".multica", ".agent_context", ...SKILL_PLACES].some((place) => slashed === place || slashed.startsWith(`${place}/`) || place.startsWith(`${slashed}/`));
}

const SKILL_PLACES = allProviderFiles().flatMap((files) => (files.skills === null ? [] : [files.skills]));

function texts(value: unknown): string[] | null {
  return Array.isArray(value) && value.every((item) => typeof item === "string") ? value : null;
}

function intentsOf(value: unknown): Intent[] | null {
  if (value === undefined) return [];
  if (!Array.isArray(value)) return null;
  const intents: Intent[] = [];
  for (const item of value as unknown[]) {
    if (!isObject(item)) return null;
    intents.push({ path: asString(item["path"]), staging: asString(item["staging"]), sha256: asString(item["sha256"]) });
  }
  return intents;
}

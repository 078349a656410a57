import { join } from "node:path";
import { MulticaError, parseJson } from "../../../core/index.ts";
import { ensureDir, readRegularFile, removeTree, writeFileAtomic } from "../../../platform/index.ts";
import { skillDataSchema } from "../../../wire/index.ts";
import { type Bundle, type WantedSkill, verifyBundle } from "./bundle.ts";

/** Name of the cache below the workspaces root; the collector of environments passes over names with a dot. */
const CACHE = join(".skill-cache", "v1");
const FILE = "bundle.json";

export interface BundleCache {
  /**
   * The bundle a reference names, if it is here and whole. An entry that is not is removed: it counts as missing, and
   * never fails a task.
   */
  load(wanted: WantedSkill): Promise<Bundle | null>;
  /** Keeps a bundle under its own hash. */
  store(bundle: Bundle): Promise<void>;
}

/**
 * Skill bundles of one workspace on disk, by source, id and hash (daemon.md 11.7). `onDamage` hears of entries that had
 * to be removed and of removals that failed.
 */
export function bundleCache(options: { readonly workspacesRoot: string; readonly workspaceId: string; readonly onDamage: (path: string, error: unknown) => void }): BundleCache {
  const directory = (source: string, id: string, hash: string): string =>
    join(options.workspacesRoot, CACHE, ...[options.workspaceId, source, id, hash].map(segment));
  return {
    async load(wanted) {
      const path = directory(wanted.source, wanted.id, wanted.hash);
      try {
        const bytes = await readRegularFile(join(path, FILE));
        return bytes === undefined ? null : parse(bytes, wanted);
      } catch (error) {
        options.onDamage(path, error);
        await removeTree(path).catch((failure: unknown) => options.onDamage(path, failure));
        return null;
      }
    },
    async store({ data, hash }) {
      const path = directory(data.source ?? "", data.id ?? "", hash);
      await ensureDir(path);
      await writeFileAtomic(join(path, FILE), `${JSON.stringify({ ...data, hash })}\n`);
    },
  };
}

/** Throws when the entry is not what its place says. */
function parse(bytes: Buffer, wanted: WantedSkill): Bundle {
  const data = skillDataSchema.safeParse(parseJson(bytes.toString("utf8")));
  if (!data.success) throw damaged("it is not a skill bundle");
  const bundle = verifyBundle(data.data, wanted);
  if (bundle.hash !== wanted.hash) throw damaged(`its content is ${bundle.hash}`);
  const expected = wanted.ref.file_count ?? undefined;
  if (expected !== undefined && (data.data.files ?? []).length !== expected) throw damaged("it has another number of files");
  return bundle;
}

function damaged(why: string): MulticaError {
  return new MulticaError("skill_bundle", `the cached bundle is damaged: ${why}`);
}

/** A name that is one directory whatever a server sends; two that become equal are told apart by the check of the content. */
function segment(text: string): string {
  const plain = text.replace(/[^A-Za-z0-9._-]/g, "_");
  if (plain === "") return "_";
  return /^\.+$/.test(plain) ? `_${plain}` : plain;
}

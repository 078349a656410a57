import { currentPid, lockHolder } from "../../platform/index.ts";
import { leaveLocalDirectory } from "../local/leave.ts";
import { readManifest } from "../local/manifest.ts";
import { type Check, finding } from "./check.ts";

const MANIFEST = ".multica_sidecar_manifest.json";

/** What an execution that could not clean up left in a user's directory (execenv.md 11.2). */
export const localCheck: Check = {
  id: "local-directory",
  section: "environment",
  codes: ["SIDE_LEFTOVER", "SIDE_MANIFEST_CORRUPT"],

  async check({ target, paths, record }) {
    const manifest = await readManifest(target.root);
    if (manifest === null) return [];
    if (manifest === "corrupt") {
      return [finding("SIDE_MANIFEST_CORRUPT", { path: MANIFEST, expected: "the list of our files in a user's directory", actual: "not readable as one" })];
    }
    const holder = lockHolder(paths.lock);
    // A running task's files are where they belong.
    if (holder !== null && holder.pid !== currentPid()) return [];
    const count = manifest.files.length + manifest.intents.length;
    return [finding("SIDE_LEFTOVER", { path: MANIFEST, expected: "nothing of ours in the user's directory", actual: `up to ${count} files in ${record?.local_work_dir ?? manifest.base}` })];
  },

  async repair({ target }) {
    await leaveLocalDirectory(target.root);
    return {};
  },
};

import { envValue } from "../../platform/index.ts";
import { deadTempDirs } from "../temp-dirs.ts";
import { type Check, finding } from "./check.ts";

/** Temporary directories that tasks of this environment left when they died (execenv.md 13). No task has to wait for it. */
export const tempCheck: Check = {
  id: "temp-dirs",
  section: "machine",
  codes: ["TMP_DEAD"],

  check({ target }) {
    const dead = deadTempDirs({ base: envValue(target.host.env, "MULTICA_AGENT_TEMP_BASE"), root: target.root, nowMs: target.now() });
    return Promise.resolve(dead.map((path) => finding("TMP_DEAD", { path, expected: "nothing", actual: "the temporary directory of a task that is dead" })));
  },
};

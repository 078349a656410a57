import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type Target, healEnvironment, prepareEnvironment } from "../../../src/lib/execenv/index.ts";
import { tryFileLock } from "../../../src/lib/platform/index.ts";
import { silentLogger } from "../../../src/lib/platform/logger.ts";
import { machine, prepareInput, put } from "../../support/execenv.ts";
import { taskId } from "../../support/execenv-world.ts";
import { tempDir } from "../../support/temp.ts";

describe("the temporary directories of dead tasks", () => {
  it("are named by the environment they belong to, and only by it; living ones are not", async () => {
    const place = machine();
    const base = tempDir("multica-temp-base-");
    const roots: string[] = [];
    for (const tail of ["1", "2"]) {
      const environment = await prepareEnvironment(prepareInput(place, taskId(tail)));
      environment.release();
      roots.push(environment.root);
    }
    const make = (name: string, root: string): string => {
      put(join(base, name, ".task_root"), root);
      put(join(base, name, ".task_lock"), "");
      return join(base, name);
    };
    const dead = make("multica-task-dead", roots[0] ?? "");
    const held = tryFileLock(join(make("multica-task-live", roots[0] ?? ""), ".task_lock"));
    make("other-dead", roots[0] ?? "");
    const look = async (root = "", later = 120_000) => {
      const target: Target = { root, workspacesRoot: place.root, host: { env: { MULTICA_AGENT_TEMP_BASE: base }, home: place.home, platform: "linux" }, now: () => Date.now() + later, logger: silentLogger };
      const { status, findings } = await healEnvironment(target);
      return [status, ...findings.map((one) => `${one.code} ${one.status} ${one.path}`)];
    };
    expect(await look(roots[0])).toEqual(["ok", `TMP_DEAD found ${dead}`]);
    expect([await look(roots[1]), await look(roots[0], 0)]).toEqual([["ok"], ["ok"]]);
    expect(existsSync(dead)).toBe(true);
    held?.release();
  });
});

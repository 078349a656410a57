import { join } from "node:path";
import type { HealReport } from "../../../src/lib/execenv/index.ts";
import { runShort } from "../../../src/lib/platform/process/run-short.ts";
import { treeHash } from "../execenv-world.ts";
import { tempDir } from "../temp.ts";
import { type Contents, contentsOf, lostContents, stagingFiles } from "./content.ts";
import type { Faults } from "./faults.ts";
import { type Healer, startHealer } from "./healer.ts";
import { type HealWorld, healWorlds } from "./home.ts";
import { changed, filesOf, outcomeFaults } from "./trial.ts";
import { ruinEverything } from "./worst.ts";

const CHILD = join(import.meta.dirname, "fault-child.ts");
const OPTIONS = { adoptSessions: true };

interface Outcome {
  /** Undefined: the process was killed. */
  readonly report: HealReport | undefined;
  readonly operations: number;
}

/** Heals with one fault, in a process of its own; `compiled`: a directory for compiled modules, so that it starts fast. */
async function healFaulty(world: HealWorld, faults: Omit<Faults, "below">, compiled: string): Promise<Outcome> {
  const { root, workspaces, home } = world;
  const result = await runShort({
    command: process.execPath,
    args: [CHILD, JSON.stringify({ patient: { root, workspaces, home }, options: OPTIONS })],
    env: { PATH: process.env["PATH"] ?? "", NODE_COMPILE_CACHE: compiled, HEAL_FAULTS: JSON.stringify({ ...faults, below: world.base }) },
    timeoutMs: 60_000,
  });
  if (result.code === 0) return JSON.parse(result.stdout) as Outcome;
  if (faults.how !== "kill") throw new Error(`the heal died: ${result.stderr}`);
  return { report: undefined, operations: 0 };
}

/** What is not as it has to be after the heal that followed a fault. */
async function checkAfter(world: HealWorld, before: { contents: Contents; users: ReadonlyMap<string, string> }, healer: Healer): Promise<string[]> {
  const faults: string[] = [];
  const lost = (when: string): void => {
    faults.push(...lostContents(before.contents, contentsOf(world.base), join(world.codexHome, "config.toml")).map((path) => `lost ${when}: ${path}`));
    faults.push(...changed(before.users, filesOf(world.home)).map((path) => `changed ${when}: ${path}`));
  };
  lost("by the fault");
  const next = await healer.heal(world, OPTIONS);
  lost("by the next heal");
  faults.push(...outcomeFaults(next), ...(next.status === "ok" || next.status === "healed" ? [] : [`status ${next.status}`]));
  faults.push(...stagingFiles(world.workspaces, world.home).map((path) => `left ${path}`));
  const healed = treeHash(world.base);
  const last = await healer.heal(world, OPTIONS);
  if (last.findings.some((one) => one.status === "healed") || treeHash(world.base) !== healed) faults.push("a third heal had something to do");
  return faults;
}

/**
 * Heals a badly damaged home with a fault at each of its operations that `wants` picks, and again without; returns what
 * was wrong afterwards (empty: nothing) and how many operations there are.
 */
export async function faultEverywhere(how: Omit<Faults, "below" | "at">, wants: (operation: number) => boolean): Promise<{ faults: string[]; operations: number; tried: number }> {
  const place = tempDir("multica-faults-");
  const compiled = join(place, "compiled");
  const next = await healWorlds(place);
  const healer = startHealer(null);
  const fresh = (): HealWorld => {
    const world = next();
    ruinEverything(world);
    return world;
  };
  const { operations } = await healFaulty(fresh(), { how: "EIO", at: 0 }, compiled);
  const faults: string[] = [];
  let tried = 0;
  for (let at = 1; at <= operations; at += 1) {
    if (!wants(at)) continue;
    tried += 1;
    const world = fresh();
    const before = { contents: contentsOf(world.base), users: filesOf(world.home) };
    const { report } = await healFaulty(world, { ...how, at }, compiled);
    if (how.how === "kill" && report !== undefined) faults.push(`operation ${at} was never reached`);
    const silent = report !== undefined && how.stays === true && report.status !== "error" && !report.findings.some((one) => one.status === "failed");
    const found = [...(silent ? ["the failure was not told"] : []), ...(await checkAfter(world, before, healer))];
    if (found.length > 0) faults.push(`${how.how} at operation ${at} of ${operations}: ${found.join("; ")}`);
  }
  await healer.end();
  return { faults, operations, tried };
}

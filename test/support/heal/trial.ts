import { lstatSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { HealReport } from "../../../src/lib/execenv/index.ts";
import { treeHash } from "../execenv-world.ts";
import { contentsOf, lostContents, stagingFiles } from "./content.ts";
import { type Healer, otherUser, startHealer } from "./healer.ts";
import { type HealWorld, giveTo, healWorlds } from "./home.ts";
import { tempDir } from "../temp.ts";
import { ruin, seeded } from "./random.ts";

/** Every file below a directory with its text; links are not followed. */
export function filesOf(directory: string, prefix = ""): Map<string, string> {
  const files = new Map<string, string>();
  for (const name of readdirSync(join(directory, prefix))) {
    const path = join(prefix, name);
    const facts = lstatSync(join(directory, path));
    if (facts.isDirectory()) for (const [inner, text] of filesOf(directory, path)) files.set(inner, text);
    else if (facts.isFile()) files.set(path, readFileSync(join(directory, path), "latin1"));
  }
  return files;
}

/** Files that are not what they were, or no more. */
export function changed(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): string[] {
  return [...before].filter(([path, text]) => after.get(path) !== text).map(([path]) => path);
}

/** Damages one home as this seed says, heals it twice, and lists what is wrong with the outcome; empty: nothing. */
export async function trial(world: HealWorld, seed: number, healer: Healer, uid: number | null): Promise<string[]> {
  const { story, options } = ruin(world, seeded(seed));
  if (uid !== null) giveTo(world.base, uid);
  const before = contentsOf(world.base);
  const users = filesOf(world.home);
  const first = await healer.heal(world, options);
  const faults = [...outcomeFaults(first)];
  const lost = lostContents(before, contentsOf(world.base), join(world.codexHome, "config.toml"));
  faults.push(...lost.map((path) => `lost ${path}`), ...changed(users, filesOf(world.home)).map((path) => `changed the user's ${path}`));
  // Behind a link nothing is touched, not even what is ours.
  const linked = first.findings.some((one) => one.code === "ENV_SYMLINKED");
  if (!linked) faults.push(...stagingFiles(world.workspaces, world.home).map((path) => `left ${path}`));
  const healed = treeHash(world.base);
  const second = await healer.heal(world, options);
  faults.push(...second.findings.filter((one) => one.status === "healed").map((one) => `heals ${one.code} ${one.path} again`));
  if (treeHash(world.base) !== healed) faults.push("the second heal wrote something");
  return faults.length === 0 ? [] : [`seed ${seed}: ${story.join("; ")}`, ...faults];
}

/**
 * `count` such trials from this seed on, in one place. HEAL_SEED (and HEAL_COUNT) run others instead: what a failure
 * printed.
 */
export async function trials(from: number, count: number): Promise<string[]> {
  const env = process.env;
  const start = env["HEAL_SEED"] === undefined ? from : Number(env["HEAL_SEED"]);
  const end = start + Number(env["HEAL_COUNT"] ?? (env["HEAL_SEED"] === undefined ? count : 1));
  const place = tempDir("multica-heal-");
  const uid = otherUser();
  if (uid !== null) giveTo(place, uid);
  const next = await healWorlds(place);
  const healer = startHealer(uid);
  const faults: string[] = [];
  try {
    for (let seed = start; seed < end; seed += 1) faults.push(...(await trial(next(), seed, healer, uid)));
  } finally {
    await healer.end();
  }
  return faults;
}

/** Healthy, or named findings that are a person's (or a flag's) to settle. */
export function outcomeFaults(report: HealReport): string[] {
  if (report.status === "error" || report.status === "busy") return [`status ${report.status}: ${report.error ?? ""}`];
  return report.findings
    .filter((one) => one.code === "CHECK_FAILED" || one.status === "failed" || (one.status === "found" && one.fix === "auto"))
    .map((one) => `${one.code} ${one.status} ${one.path}: ${one.error ?? one.actual}`);
}

import { chmodSync, chownSync, copyFileSync, lchownSync, lstatSync, mkdirSync, readdirSync, readlinkSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { prepareEnvironment } from "../../../src/lib/execenv/index.ts";
import { prepareInput, put } from "../execenv.ts";
import { taskId } from "../execenv-world.ts";

/** A machine with a user's Codex home that has everything, and one Codex environment on it. */
export interface HealWorld {
  /** Everything lies below it. */
  readonly base: string;
  readonly workspaces: string;
  readonly home: string;
  readonly shared: string;
  readonly root: string;
  readonly codexHome: string;
}

/** Relative names in the user's Codex home that `config.toml` points at. */
export const NAMED = { catalog: "models.json", instructions: "prompts/agent.md", experimental: "old.md" } as const;

export const CONFIG = [
  'model = "m"',
  `model_catalog_json = "${NAMED.catalog}"`,
  `model_instructions_file = "${NAMED.instructions}"`,
  `experimental_instructions_file = "${NAMED.experimental}"`,
  "",
  "[model_providers.own]",
  'name = "Own"',
  "",
].join("\n");

/** Makes such a machine below an existing directory. `task` is the last digits of the task's id. */
export async function healWorld(base: string, task = "1"): Promise<HealWorld> {
  const place = { root: join(base, "workspaces"), home: join(base, "home") };
  const shared = join(place.home, ".codex");
  put(join(shared, "auth.json"), '{"token":"of the user"}');
  put(join(shared, "config.toml"), CONFIG);
  put(join(shared, "config.json"), '{"old":true}');
  put(join(shared, "instructions.md"), "Be good.\n");
  put(join(shared, "models_cache.json"), '{"models":[]}');
  put(join(shared, NAMED.catalog), "[]");
  put(join(shared, NAMED.instructions), "You are an agent.\n");
  put(join(shared, NAMED.experimental), "You were an agent.\n");
  put(join(shared, "skills", "tool", "SKILL.md"), "---\nname: tool\n---\n");
  put(join(shared, "plugins", "cache", "one"), "a plugin");
  put(join(shared, "sessions", "2026", "01", "02", "rollout-2026-01-02T03-04-05-aaaa.jsonl"), '{"a":1}\n');
  const environment = await prepareEnvironment(prepareInput(place, taskId(task), { provider: "codex", cliVersion: "0.169.0", now: () => Date.now() }));
  environment.release();
  const codexHome = join(environment.root, "codex-home");
  put(join(codexHome, "history.jsonl"), "what Codex keeps for itself");
  put(join(codexHome, "state_5.sqlite"), "a database");
  put(join(codexHome, ".multica", "backup", "old"), "an earlier backup");
  put(join(environment.workdir, "repo", "work.txt"), "work that is nowhere else");
  return { base, workspaces: place.root, home: place.home, shared, root: environment.root, codexHome };
}

/** Gives a whole tree to another user, links themselves included. */
export function giveTo(directory: string, uid: number): void {
  if (lstatSync(directory).isSymbolicLink()) return void lchownSync(directory, uid, uid);
  chownSync(directory, uid, uid);
  if (!lstatSync(directory).isDirectory()) return;
  for (const name of readdirSync(directory)) giveTo(join(directory, name), uid);
}

/** A place outside of everything, with a file that nobody may touch. */
export function canary(base: string, name: string): { directory: string; file: string } {
  const directory = join(base, name);
  mkdirSync(join(directory, "inner"), { recursive: true });
  writeFileSync(join(directory, "inner", "deep"), `deep in ${name}`);
  const file = join(directory, "file");
  writeFileSync(file, `the canary ${name}`);
  return { directory, file };
}

/**
 * Many machines that are alike, one after the other at the same place: preparing one costs more than everything that is
 * then done to it. Each call takes the last one away.
 */
export async function healWorlds(base: string, task?: string): Promise<() => HealWorld> {
  const place = join(base, "machine");
  const world = await healWorld(place, task);
  renameSync(place, join(base, "template"));
  return () => {
    openAll(place);
    rmSync(place, { recursive: true, force: true });
    copyTree(join(base, "template"), place);
    return world;
  };
}

/** With the modes of directories, which `cpSync` does not keep. */
export function copyTree(from: string, to: string): void {
  const facts = lstatSync(from);
  if (facts.isSymbolicLink()) return symlinkSync(readlinkSync(from), to);
  if (facts.isFile()) return copyFileSync(from, to);
  mkdirSync(to);
  for (const name of readdirSync(from)) copyTree(join(from, name), join(to, name));
  chmodSync(to, facts.mode & 0o777);
}

/** Lets a directory be removed by whoever owns it. */
function openAll(path: string): void {
  const facts = lstatSync(path, { throwIfNoEntry: false });
  if (facts?.isDirectory() !== true) return;
  if ((facts.mode & 0o700) !== 0o700) chmodSync(path, 0o700);
  for (const name of readdirSync(path)) openAll(join(path, name));
}

import { lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { MulticaError } from "../core/index.ts";
import { copyFile, ensureDir } from "../platform/index.ts";
import type { Git } from "./git.ts";
import type { BareRepo } from "./repo.ts";
import type { NewRef, View } from "./view.ts";

const REMOTES = "refs/remotes/origin/";

/** True for a cache that lacks objects which its remote gives out when they are wanted (`git clone --filter`). */
export async function isPartial(repo: BareRepo): Promise<boolean> {
  return (await repo.ask(["config", "--type=bool", "--get", "remote.origin.promisor"])).stdout.trim() === "true";
}

/**
 * Brings the remote's branches and tags of a partial cache to an isolated checkout, with the objects that are there. git
 * cannot be asked to: it serves nobody from a repository with objects missing. Branches are pruned, the agent's tags stay.
 */
export async function copyPartial(cache: BareRepo, gitDir: string, git: (args: readonly string[], input?: string) => Promise<string>): Promise<void> {
  await copyObjects(join(cache.path, "objects"), join(gitDir, "objects"));
  const there = (await cache.lines(["for-each-ref", "--format=%(objectname) %(refname) %(symref)", REMOTES, "refs/tags/"])).map((line) => line.split(" "));
  const wanted = new Map(there.filter(([, , target]) => target === "").map(([id = "", ref = ""]) => [ref, id]));
  const here = (await git(["for-each-ref", "--format=%(refname) %(symref)", REMOTES])).split("\n").map((line) => line.split(" "));
  const gone = here.flatMap(([ref = "", target]) => (ref !== "" && target === "" && !wanted.has(ref) ? [`delete ${ref}\n`] : []));
  // What vanished goes first: `foo` is in the way of `foo/bar`.
  if (gone.length > 0) await git(["update-ref", "--stdin"], gone.join(""));
  await git(["update-ref", "--stdin"], [...wanted].map(([ref, id]) => `update ${ref} ${id}\n`).join(""));
}

/** Packs, then loose objects; a name stands for its content, so what is there is right. A pack's index comes last. */
async function copyObjects(from: string, to: string): Promise<void> {
  for (const directory of readdirSync(from).filter((name) => name === "pack" || /^[0-9a-f]{2}$/.test(name))) {
    const target = join(to, directory);
    await ensureDir(target);
    if (lstatSync(target).isDirectory() !== true) throw new MulticaError("checkout_unreadable", `${target} is no directory`);
    const present = new Set(readdirSync(target));
    const names = readdirSync(join(from, directory)).filter((name) => !present.has(name) && (directory !== "pack" || /^pack-.*\.(pack|rev|promisor|idx)$/.test(name)));
    const order = [...names.filter((name) => !name.endsWith(".idx")), ...names.filter((name) => name.endsWith(".idx"))];
    for (const name of order) await copyFile(join(from, directory, name), join(target, name));
  }
}

/**
 * Takes commits of a checkout over into its partial cache, with every file they hold: git's own fetch would leave out what
 * it takes for present there. The pack is indexed anew, so that no object bears a name that is not its own.
 */
export async function importPartial(git: Git, view: View, cache: BareRepo, refs: readonly NewRef[]): Promise<void> {
  const what = "take commits over: git ";
  const tips = (await cache.lines(["for-each-ref", "--format=%(objectname)"])).map((id) => `^${id}\n`).join("");
  const input = `${refs.map((item) => `${item.commit}\n`).join("")}${tips}`;
  const commits = (await git.must(`${what}rev-list: `, view.call(["rev-list", "--missing=allow-any", "--ignore-missing", "--stdin"], { input }))).split("\n").filter((id) => id !== "");
  const ids = new Set(commits);
  for (const commit of commits) {
    const tree = await git.must(`${what}ls-tree: `, view.call(["ls-tree", "-r", "-t", "-z", commit]));
    for (const [, id = ""] of tree.matchAll(/(?:^|\0)\d+ (?:blob|tree) ([0-9a-f]+)\t/g)) ids.add(id);
    ids.add((await git.must(`${what}rev-parse: `, view.call(["rev-parse", `${commit}^{tree}`]))).trim());
  }
  if (ids.size > 0) {
    const list = [...ids].map((id) => `${id}\n`).join("");
    const name = (await git.must(`${what}pack-objects: `, view.call(["pack-objects", "--quiet", "--missing=allow-any", join(view.path, "taken")], { input: list }))).trim();
    const pack = join(view.path, `taken-${name}.pack`);
    const index = join(view.path, "taken.idx");
    await git.must(`${what}index-pack: `, view.call(["index-pack", "--fsck-objects", "-o", index, pack]));
    const target = join(cache.path, "objects", "pack", `pack-${name}`);
    await copyFile(pack, `${target}.pack`);
    await copyFile(index, `${target}.idx`);
  }
  await cache.must(`${what}update-ref: `, ["update-ref", "--stdin"], { input: refs.map((item) => `update ${item.ref} ${item.commit}\n`).join("") });
}

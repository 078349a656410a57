import type { Git } from "./git.ts";
import { importPartial, isPartial } from "./partial.ts";
import { bareRepo } from "./repo.ts";
import type { NewRef, View } from "./view.ts";

/** Takes commits that a view can see over into a cache under these names; every object is checked on the way. */
export async function importRefs(git: Git, view: View, cache: string, refs: readonly NewRef[], signal?: AbortSignal): Promise<void> {
  const repo = bareRepo(git, cache, signal);
  if (await isPartial(repo)) return importPartial(git, view, repo, refs);
  const names = refs.map((item, index) => ({ ...item, temporary: `refs/heads/import-${index}` }));
  const input = names.map((item) => `create ${item.temporary} ${item.commit}\n`).join("");
  await git.must("take commits over: git update-ref: ", view.call(["update-ref", "--stdin"], { input }));
  const options = ["--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", "--quiet"];
  const specs = names.map((item) => `+${item.temporary}:${item.ref}`);
  await repo.must("take commits over: git fetch: ", ["-c", "fetch.fsckObjects=true", "fetch", ...options, "--", view.path, ...specs]);
}

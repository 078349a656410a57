import { EXIT, MulticaError } from "../core/index.ts";
import { headBranch } from "./layout.ts";
import type { BareRepo } from "./repo.ts";
import { maskCredentials } from "./url.ts";

export interface Base {
  /** The ref it was found by, or the commit id. */
  readonly ref: string;
  readonly commit: string;
}

const REMOTES = "refs/remotes/origin/";

/**
 * The commit a checkout starts from: the asked branch, tag or commit, else the remote's default branch (repocache.md 6).
 * Throws `ref_unknown` (exit 4), `repo_empty` or `repo_no_default`; never guesses between several branches.
 */
export async function resolveBase(repo: BareRepo, url: string, ref: string | undefined): Promise<Base> {
  const asked = ref?.trim() ?? "";
  return asked === "" ? defaultBase(repo, url) : askedBase(repo, asked);
}

async function askedBase(repo: BareRepo, ref: string): Promise<Base> {
  const unknown = new MulticaError("ref_unknown", `cannot resolve requested ref ${JSON.stringify(ref)} in repo cache at ${repo.path}`, {
    exit: EXIT.notFound,
    suggestions: ["Name a branch, a tag or a commit that the remote has."],
  });
  if (!isPlainRef(ref)) throw unknown;
  const isId = /^[0-9a-f]{7,64}$/i.test(ref);
  // The snapshot heads of the clone are old: a bare name must not reach them.
  const verbatim = isId || ref.startsWith("refs/") || ref.startsWith("origin/") ? [ref] : [];
  for (const candidate of [`${REMOTES}${ref}`, `refs/tags/${ref}`, ...verbatim]) {
    const commit = await commitOf(repo, candidate);
    if (commit !== undefined) return { ref: candidate, commit };
  }
  if (/^[0-9a-f]{40}$/i.test(ref)) {
    await repo.run(["fetch", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", "origin", ref]);
    const commit = await commitOf(repo, ref);
    if (commit !== undefined) return { ref, commit };
  }
  throw unknown;
}

/** No option, no revision operator, no pattern: a name and nothing else. */
function isPlainRef(ref: string): boolean {
  return ref.length <= 250 && !ref.startsWith("-") && !/[\u0000-\u0020\u007f~^:?*[\\]|\.\.|@\{|\/\//.test(ref);
}

async function commitOf(repo: BareRepo, name: string): Promise<string | undefined> {
  const answer = await repo.ask(["rev-parse", "--verify", "--quiet", "--end-of-options", `${name}^{commit}`]);
  const commit = answer.stdout.trim();
  return answer.code === 0 && /^[0-9a-f]{40,64}$/.test(commit) ? commit : undefined;
}

async function defaultBase(repo: BareRepo, url: string): Promise<Base> {
  const branches = new Map<string, string>();
  let originHead = "";
  for (const line of await repo.lines(["for-each-ref", "--format=%(objectname) %(refname) %(symref)", REMOTES])) {
    const [id = "", name = "", target = ""] = line.split(" ");
    if (name === `${REMOTES}HEAD`) originHead = target;
    else branches.set(name, id);
  }
  const own = headBranch(repo.path);
  const names = [originHead, `${REMOTES}main`, `${REMOTES}master`, ...(own === undefined ? [] : [`${REMOTES}${own}`])];
  const onlyOne = branches.size === 1 ? [...branches.keys()] : [];
  for (const name of [...names, ...onlyOne]) {
    const commit = branches.get(name);
    if (commit !== undefined) return { ref: name, commit };
  }
  // Only a cache that never had remote branches may fall back to its own: elsewhere a stale one would hide the fault.
  if (branches.size === 0 && own !== undefined) {
    const commit = await commitOf(repo, `refs/heads/${own}`);
    if (commit !== undefined) return { ref: `refs/heads/${own}`, commit };
  }
  throw await noDefault(repo, url, branches.size);
}

async function noDefault(repo: BareRepo, url: string, branches: number): Promise<MulticaError> {
  const shown = maskCredentials(url);
  if (branches === 0 && (await repo.lines(["for-each-ref", "--count=1"])).length === 0) {
    return new MulticaError("repo_empty", `repository has no commits yet: ${shown}`, {
      suggestions: ["Push a first commit, then try again."],
    });
  }
  const text = `cannot resolve default branch for ${shown}: bare cache at ${repo.path} has no usable refs (${branches} remote branches, none of them the default)`;
  return new MulticaError("repo_no_default", text, {
    suggestions: ["Name a branch with --ref.", "If the cache is damaged, delete that directory: it is cloned anew."],
  });
}

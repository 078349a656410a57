import { isAbsolute, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { MulticaError, errorText } from "../../core/index.ts";
import { type Env, ensureDir, pathExists, writeFileAtomic } from "../../platform/index.ts";
import { IDENTITY, git } from "./git.ts";

export interface RepositoryOptions {
  readonly dir: string;
  readonly cwd: string;
  readonly env: Env;
  /** URL or path given by the user; absent: a small repository of our own is made. */
  readonly repo?: string;
}

/** The URL of the repository that the run works on. */
export async function provideRepository(options: RepositoryOptions): Promise<string> {
  if (options.repo === undefined) return createDemo(options);
  const path = isAbsolute(options.repo) ? options.repo : resolve(options.cwd, options.repo);
  const url = (await pathExists(path)) ? pathToFileURL(path).href : options.repo;
  if ((await branches(options, url)) === "") {
    throw new MulticaError("repository_empty", `${options.repo} has no commit yet`, { suggestions: ["Make a first commit; work needs something to start from."] });
  }
  return url;
}

async function branches(options: RepositoryOptions, url: string): Promise<string> {
  try {
    return await git({ ...options.env, GIT_TERMINAL_PROMPT: "0" }, options.dir, "ls-remote", "--quiet", "--", url);
  } catch (error) {
    throw new MulticaError("repository_unreadable", `${options.repo ?? ""} is not a repository that git can read: ${errorText(error)}`, {
      cause: error,
      suggestions: ["Give --repo a URL that `git clone` accepts, or the path of a repository."],
    });
  }
}

async function createDemo(options: RepositoryOptions): Promise<string> {
  const work = join(options.dir, "demo");
  await ensureDir(join(work, "src"));
  await writeFileAtomic(join(work, "README.md"), "# Demo\n\nA small repository for a first task.\n");
  await writeFileAtomic(join(work, "src", "greet.txt"), "Hello.\n");
  await git(options.env, work, "init", "--quiet", "--initial-branch=main");
  await git(options.env, work, "add", "--all");
  await git(options.env, work, "-c", `user.name=${IDENTITY.name}`, "-c", `user.email=${IDENTITY.email}`, "commit", "--quiet", "--message", "First commit");
  const bare = join(options.dir, "demo.git");
  await git(options.env, options.dir, "clone", "--quiet", "--bare", work, bare);
  return pathToFileURL(bare).href;
}

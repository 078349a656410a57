import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { compiledEnv } from "./compiled.ts";
import { tempDir } from "./temp.ts";

/** A git environment that knows neither the user's home nor the machine's configuration. */
export function isolatedGitEnv(home: string): Record<string, string> {
  return {
    PATH: process.env["PATH"] ?? "/usr/bin:/bin",
    HOME: home,
    GIT_CONFIG_GLOBAL: join(home, ".gitconfig"),
    GIT_CONFIG_NOSYSTEM: "1",
    LC_ALL: "C",
    ...compiledEnv(),
  };
}

export interface TestGit {
  readonly home: string;
  readonly env: Record<string, string>;
  /** Runs git and returns its trimmed output; throws when it fails. */
  (cwd: string, ...args: string[]): string;
}

/** Real git with a home of its own and an identity, so that commits work. */
export function testGit(home: string = tempDir()): TestGit {
  writeFileSync(
    join(home, ".gitconfig"),
    "[user]\n\tname = Test\n\temail = test@example.test\n[init]\n\tdefaultBranch = main\n[protocol \"file\"]\n\tallow = always\n",
  );
  const env = isolatedGitEnv(home);
  const run = (cwd: string, ...args: string[]): string =>
    execFileSync("git", args, { cwd, env, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }).trim();
  return Object.assign(run, { home, env });
}

/** Writes files and commits them; returns the commit id. */
export function commitFiles(git: TestGit, cwd: string, files: Readonly<Record<string, string>>, message = "change"): string {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(cwd, name)), { recursive: true });
    writeFileSync(join(cwd, name), text);
  }
  git(cwd, "add", "-A");
  git(cwd, "commit", "-q", "-m", message);
  return git(cwd, "rev-parse", "HEAD");
}

/** A repository with one commit on `branch` that stands in for a remote; its URL is its path. */
export function makeRemote(git: TestGit, path: string, branch = "main", files: Readonly<Record<string, string>> = { "README.md": "hello\n" }): string {
  mkdirSync(path, { recursive: true });
  git(path, "init", "-q", "-b", branch);
  commitFiles(git, path, files, "first");
  return path;
}

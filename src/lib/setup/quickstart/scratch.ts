import { join } from "node:path";
import { errorText } from "../../core/index.ts";
import { type Env, ensureDir, makeTempDir, selfCommand, writeFileAtomic } from "../../platform/index.ts";
import { IDENTITY, git } from "./git.ts";

export interface Scratch {
  readonly dir: string;
  readonly stateDir: string;
  readonly workspacesRoot: string;
  readonly launcher: string;
  /** Environment of everything that quickstart starts: nothing in it points at the user's own files. */
  readonly env: Env;
}

export interface ScratchOptions {
  readonly env: Env;
  /** A real agent needs its own sign-in: then the home stays the user's, and only our files are scratch. */
  readonly keepHome: boolean;
  readonly agentScript: string;
}

/** Variables of the caller that must not leak into a run that promises to touch nothing of theirs. */
const DROPPED = /^(?:MULTICA_|XDG_|GIT_|CODEX_HOME$|CLAUDE_)/;

/** A private home under the temporary directory, with a git identity and the example agent's launcher (embedded-server.md). */
export async function createScratch(options: ScratchOptions): Promise<Scratch> {
  const dir = await makeTempDir("multica-quickstart-");
  const home = join(dir, "home");
  const bin = join(dir, "bin");
  const stateDir = join(home, ".multica");
  const workspacesRoot = join(dir, "workspaces");
  for (const path of [home, bin, stateDir, workspacesRoot]) await ensureDir(path);
  await writeFileAtomic(
    join(home, ".gitconfig"),
    `[user]\n\tname = ${IDENTITY.name}\n\temail = ${IDENTITY.email}\n[init]\n\tdefaultBranch = main\n`,
  );
  const launcher = join(bin, "echo-agent");
  const { node } = selfCommand();
  await writeFileAtomic(launcher, `#!/bin/sh\nexec ${quoted(node)} ${quoted(options.agentScript)} "$@"\n`, { mode: 0o755 });
  const kept = Object.entries(options.env).filter(([name]) => options.keepHome || !DROPPED.test(name));
  const env: Env = {
    ...Object.fromEntries(kept.filter(([name]) => !name.startsWith("MULTICA_"))),
    ...(options.keepHome ? await missingIdentity(options.env, dir) : { HOME: home, XDG_CACHE_HOME: join(home, ".cache") }),
    MULTICA_HOME: stateDir,
    MULTICA_WORKSPACES_ROOT: workspacesRoot,
    NO_COLOR: "1",
  };
  return { dir, stateDir, workspacesRoot, launcher, env };
}

/** In the person's own home their git identity counts; agents could not commit at all where there is none. */
async function missingIdentity(env: Env, cwd: string): Promise<Env> {
  const known = await git(env, cwd, "var", "GIT_COMMITTER_IDENT").then(
    () => true,
    (error: unknown) => !/identity|email|name/i.test(errorText(error)),
  );
  const { name, email } = IDENTITY;
  return known ? {} : { GIT_AUTHOR_NAME: name, GIT_AUTHOR_EMAIL: email, GIT_COMMITTER_NAME: name, GIT_COMMITTER_EMAIL: email };
}

function quoted(path: string): string {
  return `'${path.replaceAll("'", `'\\''`)}'`;
}

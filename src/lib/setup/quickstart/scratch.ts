import { join } from "node:path";
import { type Env, ensureDir, makeTempDir, selfCommand, writeFileAtomic } from "../../platform/index.ts";

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
    "[user]\n\tname = Quickstart\n\temail = quickstart@multica.invalid\n[init]\n\tdefaultBranch = main\n",
  );
  const launcher = join(bin, "echo-agent");
  const { node } = selfCommand();
  await writeFileAtomic(launcher, `#!/bin/sh\nexec ${quoted(node)} ${quoted(options.agentScript)} "$@"\n`, { mode: 0o755 });
  const kept = Object.entries(options.env).filter(([name]) => options.keepHome || !DROPPED.test(name));
  const env: Env = {
    ...Object.fromEntries(kept.filter(([name]) => !name.startsWith("MULTICA_"))),
    ...(options.keepHome ? {} : { HOME: home, XDG_CACHE_HOME: join(home, ".cache") }),
    MULTICA_HOME: stateDir,
    MULTICA_WORKSPACES_ROOT: workspacesRoot,
    NO_COLOR: "1",
  };
  return { dir, stateDir, workspacesRoot, launcher, env };
}

function quoted(path: string): string {
  return `'${path.replaceAll("'", `'\\''`)}'`;
}

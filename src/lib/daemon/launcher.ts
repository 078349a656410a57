import { join } from "node:path";
import { ensureDir, writeFileAtomic } from "../platform/index.ts";

/** Quotes one word for a POSIX shell. */
function shellWord(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/**
 * Writes `<dir>/multica`, the command agents find first on their PATH: the directory of the running executable
 * is Node's, not ours (daemon.md 11.9). Absolute paths, so that a changed PATH or working directory does not matter;
 * replaced atomically, because an agent may be starting it right now.
 */
export async function writeLauncher(dir: string, self: { readonly node: string; readonly script: string }): Promise<string> {
  const path = join(dir, "multica");
  await ensureDir(dir, 0o755);
  await writeFileAtomic(path, `#!/bin/sh\nexec ${shellWord(self.node)} ${shellWord(self.script)} "$@"\n`, { mode: 0o755 });
  return path;
}

import { existsSync } from "node:fs";
import { join, sep } from "node:path";

/** A command line without its arguments for this start. */
export interface RestartTarget {
  readonly command: string;
  readonly args: readonly string[];
}

/**
 * What a successor is started from (daemon.md 16.5): the running interpreter with the script, or, for a Homebrew
 * installation, the link in its prefix, since an upgrade deletes the directory of the old version. Null: nothing there.
 */
export function restartTarget(self: { readonly node: string; readonly script: string }): RestartTarget | null {
  const cellar = `${sep}Cellar${sep}`;
  const at = self.script.indexOf(cellar);
  if (at > 0) {
    const command = join(self.script.slice(0, at), "bin", "multica");
    return existsSync(command) ? { command, args: [] } : null;
  }
  return existsSync(self.node) && existsSync(self.script) ? { command: self.node, args: [self.script] } : null;
}

import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findByEnv } from "../../src/lib/platform/index.ts";

export interface SlowGc {
  /** The environment with a git in it whose `gc` never ends by itself, and starts a process of its own. */
  readonly env: Record<string, string>;
  started(): boolean;
  /** From now on `gc` is git's own. */
  heal(): void;
}

/** Real git, but packing stands still until it is ended: like that of a huge repository. */
export function slowGc(directory: string, env: Readonly<Record<string, string>>): SlowGc {
  mkdirSync(directory, { recursive: true });
  const [script, mark, switchFile] = [join(directory, "git"), join(directory, "started"), join(directory, "healed")];
  const real = execFileSync("which", ["git"], { encoding: "utf8", env: { PATH: env["PATH"] ?? "" } }).trim();
  const text = `#!/bin/sh\nif [ ! -e '${switchFile}' ]; then for a in "$@"; do [ "$a" = gc ] && { sleep 300 & echo x > '${mark}'; touch "$MULTICA_REPO_CACHE/gc.pid"; wait; }; done; fi\nexec '${real}' "$@"\n`;
  writeFileSync(script, text, { mode: 0o755 });
  rmSync(mark, { force: true });
  return {
    env: { ...env, PATH: `${directory}:${env["PATH"] ?? ""}` },
    started: () => existsSync(mark),
    heal: () => writeFileSync(switchFile, ""),
  };
}

/** Whether any git that was started for this cache still lives. */
export function gitRuns(bare: string): boolean {
  return findByEnv("MULTICA_REPO_CACHE", bare).length > 0;
}

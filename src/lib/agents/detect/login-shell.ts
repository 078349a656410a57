import { basename, isAbsolute } from "node:path";
import { type Env, isExecutableFile } from "../../platform/index.ts";

const SHELLS = new Set(["bash", "zsh", "sh", "dash", "ksh"]);
const SAFE_NAME = /^[A-Za-z0-9._-]+$/;
const TIMEOUT_MS = 3000;

/**
 * Asks the user's login shell where commands are: a daemon started from a desktop lacks what the profile adds to PATH
 * (agents.md 3.3). One run for all names, three seconds; anything that goes wrong means that nothing was found.
 */
export async function askLoginShell(names: readonly string[], options: { env: Env; cwd: string; hooksDir?: string }): Promise<Map<string, string>> {
  const shell = options.env.SHELL ?? "";
  const safe = names.filter((name) => SAFE_NAME.test(name));
  if (safe.length === 0 || !isAbsolute(shell) || !SHELLS.has(basename(shell))) return new Map();
  // Loaded on use: it brings a process library that hot commands must not pay for.
  const { runShort } = await import("../../platform/process/run-short.ts");
  const run = await runShort({
    command: shell,
    args: ["-ilc", lookupScript(safe, options.hooksDir)],
    cwd: options.cwd,
    env: options.env,
    timeoutMs: TIMEOUT_MS,
    maxBytes: 1 << 20,
  });
  return run.code === 0 ? parseAnswer(run.stdout, safe) : new Map();
}

/** Aliases and functions are removed first: only a file can be started. Names are safe to embed (checked above). */
function lookupScript(names: readonly string[], hooksDir: string | undefined): string {
  const hooks = hooksDir === undefined ? "" : `'${hooksDir.replaceAll("'", `'\\''`)}'`;
  return [
    `hooks=${hooks}`,
    `hooks=$(cd "$hooks" 2>/dev/null && pwd -P)`,
    `for n in ${names.join(" ")}; do`,
    `  unalias "$n" 2>/dev/null; unset -f "$n" 2>/dev/null`,
    `  p=$(command -v "$n" 2>/dev/null) || continue`,
    `  case "$p" in /*) ;; *) continue ;; esac`,
    `  d=$(cd "$(dirname "$p")" 2>/dev/null && pwd -P) || continue`,
    `  if [ -n "$hooks" ] && [ "$d" = "$hooks" ]; then`,
    `    d=`,
    `    for e in $(printf '%s' "$PATH" | tr ':' ' '); do`,
    `      r=$(cd "$e" 2>/dev/null && pwd -P) || continue`,
    `      if [ "$r" != "$hooks" ] && [ -f "$r/$n" ] && [ -x "$r/$n" ]; then d=$r; break; fi`,
    `    done`,
    `    [ -n "$d" ] || continue`,
    `  fi`,
    `  printf '%s\\t%s\\n' "$n" "$d/$n"`,
    `done`,
    `exit 0`,
  ].join("\n");
}

/** Lines `name<TAB>path`; a profile's own chatter is skipped, and every path is checked again. */
function parseAnswer(stdout: string, names: readonly string[]): Map<string, string> {
  const found = new Map<string, string>();
  for (const line of stdout.split("\n")) {
    const [name, path, ...rest] = line.split("\t");
    if (name === undefined || path === undefined || rest.length > 0 || !names.includes(name)) continue;
    if (isAbsolute(path) && isExecutableFile(path)) found.set(name, path);
  }
  return found;
}

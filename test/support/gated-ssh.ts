import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export interface GatedSsh {
  /** To be merged into git's environment. */
  readonly env: Record<string, string>;
  /** How many transports were started so far. */
  calls(): number;
  /** Lets every transport through, now and later. */
  open(): void;
  /** Holds those back that begin from now on. */
  close(): void;
}

/**
 * A stand-in for ssh that runs the asked git service on this machine, but not before the gate is open:
 * a real clone that stands still for as long as a test wants.
 */
export function gatedSsh(directory: string): GatedSsh {
  const [script, gate, log] = [join(directory, "ssh.sh"), join(directory, "gate"), join(directory, "calls")];
  const text = `#!/bin/sh\nfor last; do :; done\necho call >> '${log}'\nwhile [ ! -e '${gate}' ]; do sleep 0.05; done\nexec sh -c "$last"\n`;
  writeFileSync(script, text, { mode: 0o755 });
  return {
    env: { GIT_SSH_COMMAND: script, GIT_SSH_VARIANT: "simple" },
    calls: () => (existsSync(log) ? readFileSync(log, "utf8").trim().split("\n").length : 0),
    open: () => writeFileSync(gate, ""),
    close: () => rmSync(gate, { force: true }),
  };
}

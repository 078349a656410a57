import { accessSync, constants, lstatSync } from "node:fs";
import { delimiter, isAbsolute, join } from "node:path";

/** How hosts are started: `systemd-run` puts each into a scope of its own, out of reach of what ends the daemon's unit. */
export type ExecLauncher = "auto" | "plain" | "systemd-run";

type Env = Readonly<Record<string, string | undefined>>;

export interface LauncherCommand {
  readonly command: string;
  readonly args: readonly string[];
  /** What it needs of the environment to reach the user's service manager. */
  readonly env: readonly string[];
}

const SCOPE = ["--user", "--scope", "--collect", "--quiet", "--"];
const NEEDED = ["XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS"];

/**
 * What goes before a host's command line, or null for nothing (exec-sessions.md 20.3). `auto`: under a service manager whose
 * user bus can be reached. A scope keeps pid and pipes: `systemd-run` becomes the host.
 */
export function hostLauncher(wish: ExecLauncher, env: Env): LauncherCommand | null {
  if (wish === "plain" || (wish === "auto" && (env["INVOCATION_ID"] ?? "") === "")) return null;
  const command = find("systemd-run", env["PATH"] ?? "");
  if (command === null || (wish === "auto" && !hasUserBus(env))) return null;
  return { command, args: SCOPE, env: NEEDED };
}

function hasUserBus(env: Env): boolean {
  const runtime = env["XDG_RUNTIME_DIR"] ?? "";
  if ((env["DBUS_SESSION_BUS_ADDRESS"] ?? "") !== "") return true;
  return isAbsolute(runtime) && ["bus", "systemd/private"].some((name) => lstatSync(join(runtime, name), { throwIfNoEntry: false })?.isSocket() === true);
}

function find(name: string, path: string): string | null {
  for (const directory of path.split(delimiter).filter(isAbsolute)) {
    try {
      accessSync(join(directory, name), constants.X_OK);
      return join(directory, name);
    } catch {
      // Not there.
    }
  }
  return null;
}

import type { RunContext } from "../lib/config/index.ts";
import { usage } from "./resolve.ts";

/** The port of the daemon that runs this task; a task may ask no other one (cli.md 3.6). */
export function taskDaemonPort(context: RunContext, profile: string | undefined): number {
  if (profile !== undefined) throw usage("--profile cannot be used inside a task");
  return parseDaemonPort(context.daemonPort, "multica needs it inside a task");
}

/** `MULTICA_DAEMON_PORT` as a number; exit 2 when it is missing or not a port. */
export function parseDaemonPort(text: string | undefined, why: string): number {
  if (text === undefined) throw usage("MULTICA_DAEMON_PORT is not set", why);
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port >= 1 && port <= 65_535) return port;
  throw usage(`MULTICA_DAEMON_PORT is ${JSON.stringify(text)}, which is not a port`);
}

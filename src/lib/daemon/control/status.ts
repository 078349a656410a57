import type { Health } from "../../wire/index.ts";
import { readDaemonInfo } from "../files.ts";
import { type DaemonTarget, findDaemon } from "./find.ts";

export type DaemonStatus =
  | (Health & { readonly port: number })
  | { readonly status: "stopped"; readonly silent_pid?: number; readonly killed_pid?: number; readonly port_conflict?: { readonly port: number; readonly profile?: string; readonly unreadable_identity?: true } };

/**
 * What `daemon status` shows: the health body with its port, or "stopped" with a note when a foreign daemon has the port, or
 * when the daemon's process is there and does not answer: it is about to end, or hangs, or when the last one was killed (cli.md 5.4).
 */
export async function daemonStatus(target: DaemonTarget): Promise<DaemonStatus> {
  // A little longer than the daemon gives the server to say what waits.
  const found = await findDaemon(target, 3000, { queue: true });
  if (found.kind === "alive") return { ...found.health, port: found.port };
  if (found.kind === "stopped") {
    if (found.holder !== null) return { status: "stopped", silent_pid: found.holder.pid };
    // An orderly end takes its files along.
    const killed = readDaemonInfo(target.stateDir)?.pid;
    return { status: "stopped", ...(killed === undefined ? {} : { killed_pid: killed }) };
  }
  const who = found.profile === undefined ? { unreadable_identity: true as const } : { profile: found.profile };
  return { status: "stopped", port_conflict: { port: found.port, ...who } };
}

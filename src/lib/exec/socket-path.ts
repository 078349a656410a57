import { join } from "node:path";
import { MulticaError, sha256Hex } from "../core/index.ts";
import { currentUid, privateDirectory, tempRoot } from "../platform/index.ts";

/** The longest name that every system binds as it is; Linux cuts longer ones silently (exec-sessions.md 22.4). */
export const SOCKET_PATH_MAX = 103;

/** Directories for sockets in order of choice; the first whose names are short enough is used. */
export function socketDirectories(stateDir: string, env: Readonly<Record<string, string | undefined>>): string[] {
  const key = sha256Hex(stateDir).slice(0, 8);
  const runtime = env["XDG_RUNTIME_DIR"];
  return [
    join(stateDir, "exec", "s"),
    ...(runtime === undefined || !runtime.startsWith("/") ? [] : [join(runtime, `multica-${key}`)]),
    join(tempRoot(), `multica-${currentUid() ?? 0}-${key}`),
  ];
}

/**
 * Address of a process's socket, in a directory that is ours alone (made when missing). Throws `unsafe_directory` when
 * somebody planted something there, `socket_path_too_long` when no directory has a short enough name.
 */
export function chooseSocket(stateDir: string, env: Readonly<Record<string, string | undefined>>, xid: string): string {
  for (const directory of socketDirectories(stateDir, env)) {
    const path = join(directory, `${xid}.sock`);
    if (Buffer.byteLength(path) > SOCKET_PATH_MAX) continue;
    privateDirectory(directory);
    return path;
  }
  throw new MulticaError("socket_path_too_long", `no directory for sockets has a name short enough (${SOCKET_PATH_MAX} bytes)`, {
    suggestions: ["Set XDG_RUNTIME_DIR to a directory with a short name."],
  });
}

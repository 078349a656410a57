import { lstatSync } from "node:fs";
import { type Server, type Socket, connect, createServer } from "node:net";
import { dirname } from "node:path";
import { MulticaError, systemCode } from "../../core/index.ts";
import { type Clock, chmodNow, privateDirectory, removeFileNow, withTimeout } from "../../platform/index.ts";
import { SOCKET_PATH_MAX } from "../socket-path.ts";

const LISTEN_MS = 5000;

/**
 * Listens on a socket nobody else can reach. Throws `socket_path_too_long` (a longer name would be cut silently),
 * `unsafe_directory`, `socket_taken` when something that is no dead socket of ours is there.
 */
export async function listenPrivately(path: string, onConnection: (socket: Socket) => void, clock: Clock): Promise<Server> {
  if (Buffer.byteLength(path) > SOCKET_PATH_MAX) throw new MulticaError("socket_path_too_long", `the socket's path is over ${SOCKET_PATH_MAX} bytes: ${path}`);
  privateDirectory(dirname(path));
  if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) await clearStale(path, clock);
  const server = createServer(onConnection);
  await withTimeout(
    clock,
    LISTEN_MS,
    "the socket",
    new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(path, resolve);
    }),
  );
  chmodNow(path, 0o600);
  return server;
}

/** Removes a socket that nobody listens on. A link, a file or a living socket was planted, or is somebody else's: refused. */
async function clearStale(path: string, clock: Clock): Promise<void> {
  const taken = new MulticaError("socket_taken", `something is at the socket's place: ${path}`);
  if (!lstatSync(path).isSocket()) throw taken;
  const refused = await withTimeout(
    clock,
    LISTEN_MS,
    "the old socket",
    new Promise<boolean>((resolve) => {
      const probe = connect(path);
      probe.once("connect", () => (probe.destroy(), resolve(false)));
      probe.once("error", (error) => resolve(systemCode(error) === "ECONNREFUSED"));
    }),
  );
  if (!refused) throw taken;
  removeFileNow(path);
}

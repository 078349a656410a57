import { join } from "node:path";

/** Files of a server below its data directory (embedded-server.md, "Process and storage"). */
export interface ServerPaths {
  readonly database: string;
  readonly lock: string;
  readonly log: string;
  /** What the process itself printed: the reason when it could not even start. */
  readonly output: string;
  /** pid, port, url, started_at of the running server. */
  readonly info: string;
  readonly secret: string;
  /** Directory of uploaded files. */
  readonly files: string;
}

export function serverPaths(dataDir: string): ServerPaths {
  return {
    database: join(dataDir, "server.sqlite"),
    lock: join(dataDir, "server.lock"),
    log: join(dataDir, "server.log"),
    output: join(dataDir, "server.out"),
    info: join(dataDir, "server.json"),
    secret: join(dataDir, "secret"),
    files: join(dataDir, "uploads"),
  };
}

import { createServer } from "node:net";
import { MulticaError } from "../core/index.ts";

/** A TCP port of 127.0.0.1 that was free a moment ago. Prefer listening on port 0 where that is possible. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => {
        if (address !== null && typeof address === "object") resolve(address.port);
        else reject(new MulticaError("no_port", "the system gave no free port"));
      });
    });
  });
}

/** True for the names and addresses of this machine itself. */
export function isLoopbackHost(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, "").toLowerCase();
  return bare === "localhost" || bare === "::1" || /^127(?:\.\d{1,3}){3}$/.test(bare);
}

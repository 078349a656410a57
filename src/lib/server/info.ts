import { isoSeconds } from "./rows/index.ts";
import { parseJson } from "../core/index.ts";
import { currentPid, processIdentity, readTextIfExists, removeFile, writeFileAtomic } from "../platform/index.ts";
import { type ServerFile, serverFileSchema } from "../wire/index.ts";
import type { ServerPaths } from "./paths.ts";

/** `server.json`. */
export type ServerInfo = ServerFile;

/** What the data directory says about a running server; undefined when it says nothing readable. */
export async function readServerInfo(paths: ServerPaths): Promise<ServerInfo | undefined> {
  const parsed = serverFileSchema.safeParse(parseJson((await readTextIfExists(paths.info)) ?? ""));
  return parsed.success ? parsed.data : undefined;
}

/** Publishes this process as the server of the data directory. */
export async function writeServerInfo(paths: ServerPaths, at: { url: string; port: number; nowMs: number }): Promise<ServerInfo> {
  const pid = currentPid();
  const info: ServerInfo = { pid, port: at.port, url: at.url, started_at: isoSeconds(at.nowMs), identity: processIdentity(pid) };
  await writeFileAtomic(paths.info, `${JSON.stringify(info)}\n`, { mode: 0o600 });
  return info;
}

export async function removeServerInfo(paths: ServerPaths): Promise<void> {
  await removeFile(paths.info);
}

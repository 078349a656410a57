import { MulticaError, randomHex } from "../core/index.ts";
import { type Db, readTextIfExists, writeFileIfAbsent } from "../platform/index.ts";
import { openServerDatabase } from "./db/open.ts";
import type { ServerPaths } from "./paths.ts";

/** Opens the database of a data directory; the caller closes it. */
export function openStore(paths: ServerPaths): Promise<Db> {
  return openServerDatabase(paths.database);
}

/** The key that session tokens are signed with: made once, 32 random bytes, mode 0600 (server-api.md 14.2). */
export async function sessionSecret(paths: ServerPaths): Promise<Uint8Array> {
  await writeFileIfAbsent(paths.secret, `${randomHex(32)}\n`, { mode: 0o600 });
  const text = (await readTextIfExists(paths.secret))?.trim() ?? "";
  if (!/^[0-9a-f]{64}$/.test(text)) {
    throw new MulticaError("bad_secret", `${paths.secret} does not hold a session secret`, {
      suggestions: ["Delete the file to have a new one made; browser sessions will end."],
    });
  }
  return Buffer.from(text, "hex");
}

/** Moves the write-ahead log into the database file; a reader in the way only means that the log stays. */
export function checkpoint(db: Db): void {
  db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
}

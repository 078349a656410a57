import { type Clock, ensureDir } from "../platform/index.ts";
import { mintTokenRow } from "./auth/tokens.ts";
import { DEFAULT_THRESHOLDS, type Bus } from "./context.ts";
import { serverPaths } from "./paths.ts";
import { isoOrNull } from "./rows/index.ts";
import { ensureLocalUser } from "./services/account.ts";
import { openStore } from "./store.ts";
import { inTransaction } from "./transaction.ts";

interface MintOptions {
  readonly dataDir: string;
  readonly name: string;
  /** How long the token is good for, in milliseconds; without it, it does not expire. */
  readonly expiresMs?: number;
  readonly clock: Clock;
}

interface MintedToken {
  /** The `mul_` text: shown here and never again. */
  readonly token: string;
  readonly id: string;
  readonly expires_at: string | null;
}

// Nobody listens in this process; a running server reads the token from the database when it is used.
const SILENT_BUS: Bus = { emit: () => undefined, subscribe: () => () => undefined };

/**
 * Mints a personal access token for the local user directly in the database, whether the server runs or not
 * (server-api.md 14.2 c). Creates database, user and workspace when they are missing.
 */
export async function mintToken(options: MintOptions): Promise<MintedToken> {
  await ensureDir(options.dataDir, 0o700);
  const db = await openStore(serverPaths(options.dataDir));
  try {
    const ctx = { db, clock: options.clock, bus: SILENT_BUS, thresholds: DEFAULT_THRESHOLDS };
    return inTransaction(ctx, (tx) => {
      const expiresAt = options.expiresMs === undefined ? null : tx.now + options.expiresMs;
      const user = ensureLocalUser(tx);
      const { text, row } = mintTokenRow(tx, { kind: "personal", userId: user.id, name: options.name, expiresAt });
      return { token: text, id: row.id, expires_at: isoOrNull(expiresAt) };
    });
  } finally {
    db.close();
  }
}

import { badSetting } from "./durations.ts";
import { type Env, envText } from "./environment.ts";

/** How the databases of a profile keep what is not settled yet. */
export type JournalMode = "wal" | "delete";

/**
 * `MULTICA_STATE_JOURNAL_MODE`: `delete` for file systems on which a write-ahead log is unsafe, such as those of a network
 * (state-db.md 14). Throws `bad_setting` (exit 2) for anything else.
 */
export function stateJournalMode(env: Env): JournalMode {
  const text = envText(env, "MULTICA_STATE_JOURNAL_MODE")?.trim().toLowerCase() ?? "wal";
  if (text === "wal" || text === "delete") return text;
  throw badSetting("MULTICA_STATE_JOURNAL_MODE", text, "wal or delete");
}

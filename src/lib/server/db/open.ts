import { chmodNow, type Db, ensureDir, openDatabase } from "../../platform/index.ts";
import { MulticaError, errorText, isMulticaError } from "../../core/index.ts";
import { dirname } from "node:path";
import { SCHEMA_V1 } from "./schema.ts";
import { SCHEMA_ATTACHMENTS } from "./schema-attachments.ts";
import { SCHEMA_AUTOPILOTS } from "./schema-autopilots.ts";
import { SCHEMA_CHAT } from "./schema-chat.ts";
import { SCHEMA_MCP } from "./schema-mcp.ts";
import { SCHEMA_PROJECTS } from "./schema-projects.ts";
import { SCHEMA_PROPERTIES } from "./schema-properties.ts";
import { SCHEMA_REQUESTS } from "./schema-requests.ts";
import { SCHEMA_SKILLS } from "./schema-skills.ts";
import { SCHEMA_SQUADS } from "./schema-squads.ts";
import { SCHEMA_TASK_STATES } from "./schema-task-states.ts";
import { SCHEMA_WEBHOOKS } from "./schema-webhooks.ts";

// A statement that waits holds the whole process up: the only other writer is a token being minted.
const BUSY_MS = 2000;

/** Schema steps in order; `user_version` counts those that are applied. Never edit a released one: append. */
const MIGRATIONS: readonly string[] = [
  SCHEMA_V1,
  SCHEMA_REQUESTS,
  SCHEMA_SKILLS,
  SCHEMA_PROJECTS,
  SCHEMA_SQUADS,
  SCHEMA_ATTACHMENTS,
  SCHEMA_CHAT,
  SCHEMA_AUTOPILOTS,
  // What an agent has under way is counted for every claim: without this that costs more with every task that ever ended.
  "CREATE INDEX task_of_agent ON task (agent_id, status);",
  // A claim takes the first of each agent's queue, however long the queue is.
  "CREATE INDEX task_queue ON task (runtime_id, agent_id, priority DESC, created_at) WHERE status = 'queued';",
  SCHEMA_MCP,
  SCHEMA_PROPERTIES,
  SCHEMA_WEBHOOKS,
  SCHEMA_TASK_STATES,
];

/**
 * Opens (and creates, mode 0600) the server's database, brings its schema up to date and returns it.
 * Throws `database_newer` when a later version of the product wrote the file, `database_open` when it cannot be used.
 */
export async function openServerDatabase(path: string): Promise<Db> {
  await ensureDir(dirname(path), 0o700);
  const db = openDatabase(path, { busyTimeoutMs: BUSY_MS });
  try {
    chmodNow(path, 0o600);
    db.exec("PRAGMA journal_mode=WAL");
    // Acknowledged means on disk: a power cut must not take back a claim (embedded-server.md, storage).
    db.exec("PRAGMA synchronous=FULL");
    db.exec("PRAGMA foreign_keys=ON");
    migrate(db);
    return db;
  } catch (error) {
    db.close();
    if (isMulticaError(error)) throw error;
    throw new MulticaError("database_open", `cannot use the database ${path}: ${errorText(error)}`, { cause: error });
  }
}

function migrate(db: Db): void {
  db.transaction(() => {
    const version = Number(db.scalar("PRAGMA user_version") ?? 0);
    if (version > MIGRATIONS.length) {
      throw new MulticaError("database_newer", `${db.path} was written by a newer multica (schema ${version})`, {
        suggestions: ["Update multica, or point --data-dir at another directory."],
      });
    }
    for (const step of MIGRATIONS.slice(version)) db.exec(step);
    db.exec(`PRAGMA user_version=${MIGRATIONS.length}`);
  });
}

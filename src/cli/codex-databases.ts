import type { CodexDatabase } from "../lib/state/index.ts";
import { type IndexInput, homePlaces } from "./session-index.ts";

/** Codex's own thread databases, of every home that has one; only looked into. */
export async function codexDatabases(input: IndexInput): Promise<CodexDatabase[]> {
  const { codexDatabase, discoverHomes, sqliteHome } = await import("../lib/state/index.ts");
  const found: CodexDatabase[] = [];
  for (const { path } of discoverHomes(await homePlaces(input))) {
    const database = codexDatabase(path, await sqliteHome(path, input.env));
    if (database !== null) found.push(database);
  }
  return found;
}

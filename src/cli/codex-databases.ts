import type { CodexDatabase } from "../lib/state/index.ts";
import { type IndexInput, homePlaces } from "./session-index.ts";

/** Codex's own thread databases, of every home that has one; only looked into. */
export async function codexDatabases(input: IndexInput): Promise<CodexDatabase[]> {
  const { codexDatabase, discoverHomes } = await import("../lib/state/index.ts");
  return discoverHomes(await homePlaces(input)).flatMap((home) => codexDatabase(home.path) ?? []);
}

import { MIGRATIONS, type Migration } from "../../../src/lib/state/schema.ts";

/** A later step of the schema, as a newer release would bring it. */
export const SECOND: Migration = {
  version: MIGRATIONS.length + 1,
  name: "notes",
  minReader: 1,
  minWriter: 1,
  sql: "CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT;",
};

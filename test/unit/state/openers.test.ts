import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const src = join(import.meta.dirname, "../../../src");
/** What opens a database file of ours, and the only files that may name it (state-db.md 1, 13; the room itself aside). */
const OPENERS = ["openState", "openStateReader", "salvageState", "compactState", "openIndex", "openIndexReader", "readIndexStatus", "checkIndexFile", "IndexWorker"];
const ENTRIES = /^(cli\/(session-index|state-backfill|state-file)\.ts$|lib\/daemon\/start\.ts$|lib\/state\/)/;

describe("the lifetime rule [B1]", () => {
  it("lets only entry points name the openers; everything else takes a handle or null", () => {
    const files = readdirSync(src, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile() && entry.name.endsWith(".ts"));
    const paths = files.map((entry) => join(entry.parentPath, entry.name).slice(src.length + 1));
    const offenders = paths.filter((path) => {
      const text = readFileSync(join(src, path), "utf8");
      return !ENTRIES.test(path) && OPENERS.some((name) => new RegExp(`\\b${name}\\b`).test(text));
    });
    expect(offenders).toEqual([]);
  });
});

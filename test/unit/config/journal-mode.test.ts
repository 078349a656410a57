import { describe, expect, it } from "vitest";
import { stateJournalMode } from "../../../src/lib/config/index.ts";

describe("MULTICA_STATE_JOURNAL_MODE", () => {
  it("is wal or delete; another word is an error that names it", () => {
    const modes = [undefined, "", "wal", " DELETE "].map((text) => stateJournalMode(text === undefined ? {} : { MULTICA_STATE_JOURNAL_MODE: text }));
    expect(modes).toEqual(["wal", "wal", "wal", "delete"]);
    expect(() => stateJournalMode({ MULTICA_STATE_JOURNAL_MODE: "memory" })).toThrow("MULTICA_STATE_JOURNAL_MODE");
  });
});

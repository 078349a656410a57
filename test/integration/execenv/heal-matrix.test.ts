import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { HealReport } from "../../../src/lib/execenv/index.ts";
import { treeHash } from "../../support/execenv-world.ts";
import { contentsOf, lostContents, stagingFiles } from "../../support/heal/content.ts";
import { DAMAGES, ENTRIES, type Entry, damage } from "../../support/heal/damage.ts";
import { type Healer, otherUser, startHealer } from "../../support/heal/healer.ts";
import { NAMED, giveTo, healWorlds } from "../../support/heal/home.ts";
import { tempDir } from "../../support/temp.ts";

// One row an entry (execenv.md 7.2), one column a damage: what heal finds and what became of it; `kept`: what stood there
// lies in the backup directory now; nothing: the entry is right like that, or Codex's own and none of our business.
// The columns "unreadable" and "read-only parent" need a user for whom rights count: as root, the healing process becomes
// another user. Cells that cannot be made as they are named, and what stands for them (decision 23):
// - "unreadable" of a link: a link has no rights of its own; an unreadable file or directory in its place.
// - "absent" of the models cache, of `.multica` and of what is Codex's own is a right state: the columns say nothing.
const MODE = "CH_DIR_MODE healed";
const config = "CH_CONFIG_SYMLINK healed kept";
const blocks = "CH_CONFIG_BLOCK_MISSING healed";
const copy = "CH_COPY_NOT_FILE healed kept";
const copyRow = ["CH_COPY_MISSING healed", copy, copy, "", copy, "CH_COPY_UNREADABLE found", `${MODE}, CH_COPY_MISSING healed`, copy, copy];
const ref = "CH_REF_MISSING healed kept";
const refRow = ["CH_REF_MISSING healed", ref, ref, "", ref, "CH_REF_MISSING found", `${MODE}, CH_REF_MISSING healed`, ref, ref];
const plugins = "CH_PLUGIN_CACHE healed";
const cache = "CH_MODELS_CACHE_UNBOUND healed kept";
const skills = "CH_SKILLS_NOT_DIR healed kept, CH_SKILL_USER healed";
const skill = "CH_SKILL_USER healed";
const backup = "CH_BACKUP_NOT_DIR healed kept";
const backupRow = ["", backup, backup, backup, "", MODE, MODE, backup, backup];

// absent · broken link · link elsewhere · regular file · directory · unreadable · read-only parent · itself · through the root
const EXPECTED: Readonly<Record<Entry, readonly string[]>> = {
  sessions: ["CH_SESSIONS_MISSING healed", "CH_SESSIONS_BROKEN healed", "CH_SESSIONS_WRONG_TARGET healed", "CH_SESSIONS_NOT_DIR healed kept", "CH_SESSIONS_REAL_DIR found", "CH_SESSIONS_REAL_DIR found", `${MODE}, CH_SESSIONS_MISSING healed`, "CH_SESSIONS_BROKEN healed", "CH_SESSIONS_WRONG_TARGET healed"],
  "auth.json": ["CH_AUTH_MISSING healed", "CH_AUTH_BROKEN healed", "CH_AUTH_WRONG_TARGET healed", "CH_AUTH_DIVERGED_COPY healed kept", "CH_AUTH_NOT_FILE healed kept", "CH_AUTH_DIVERGED_COPY healed kept", `${MODE}, CH_AUTH_MISSING healed`, "CH_AUTH_BROKEN healed", "CH_AUTH_WRONG_TARGET healed"],
  "plugins/cache": [plugins, plugins, plugins, `${plugins} kept`, `${plugins} kept`, `${plugins} kept`, `${MODE}, ${plugins}`, plugins, plugins],
  "config.toml": ["CH_CONFIG_MISSING healed", config, config, [blocks, blocks, blocks, blocks].join(", "), "CH_CONFIG_NOT_FILE healed kept", "CH_CONFIG_UNREADABLE found", `${MODE}, CH_CONFIG_MISSING healed`, config, config],
  "config.json": copyRow,
  "instructions.md": copyRow,
  [NAMED.catalog]: refRow,
  [NAMED.instructions]: refRow,
  [NAMED.experimental]: refRow,
  "models_cache.json": ["", cache, cache, "", cache, cache, MODE, cache, cache],
  ".models_cache_config.sha256": [cache, cache, cache, cache, cache, cache, `${MODE}, ${cache}`, cache, cache],
  skills: [skill, skills, skills, skills, skill, MODE, `${MODE}, ${skill}`, skills, skills],
  "skills/tool": [skill, skill, skill, "", "", "", `${MODE}, ${skill}`, skill, skill],
  ".multica": backupRow,
  ".multica/backup": backupRow,
  "history.jsonl": ["", "", "", "", "", "", MODE, "", ""],
};

function summary(report: HealReport): string {
  return report.error ?? report.findings.map((one) => `${one.code} ${one.status}${one.backup === null ? "" : " kept"}`).join(", ");
}

describe("heal", () => {
  const uid = otherUser();
  let healer: Healer;
  beforeAll(() => {
    healer = startHealer(uid);
  });
  afterAll(() => healer.end());

  it.each(Object.keys(ENTRIES) as Entry[])("knows every state of %s, keeps what was there and has nothing to do the second time", async (entry) => {
    const place = tempDir("multica-heal-");
    if (uid !== null) giveTo(place, uid);
    const next = await healWorlds(place);
    for (const [column, how] of DAMAGES.entries()) {
      const world = next();
      damage(world, entry, how);
      if (uid !== null) giveTo(world.base, uid);
      const before = contentsOf(world.base);
      const outside = treeHash(world.home);
      const first = await healer.heal(world);
      const where = `${entry}, ${how}`;
      expect([where, summary(first)]).toEqual([where, EXPECTED[entry][column]]);
      expect([where, first.status]).toEqual([where, expect.stringMatching(summary(first).includes("found") ? "remaining" : "healed|ok")]);
      expect([where, lostContents(before, contentsOf(world.base), join(world.codexHome, "config.toml"))]).toEqual([where, []]);
      // Nothing was written behind a link, in the user's home or beside the file.
      expect([where, treeHash(world.home), stagingFiles(world.base)]).toEqual([where, outside, []]);
      const healed = treeHash(world.base);
      const second = await healer.heal(world);
      expect([where, second.findings.filter((one) => one.status !== "found"), treeHash(world.base)]).toEqual([where, [], healed]);
      expect([where, second.findings.map((one) => one.code)]).toEqual([where, first.findings.filter((one) => one.status === "found").map((one) => one.code)]);
    }
  });
});

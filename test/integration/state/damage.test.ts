import { copyFileSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { HeldClock, currentPid, openDatabase, processIdentity, systemClock } from "../../../src/lib/platform/index.ts";
import { silentLogger } from "../../../src/lib/platform/logger.ts";
import type { OutboxEntry } from "../../../src/lib/state/index.ts";
import { openState } from "../../../src/lib/state/open.ts";
import type { Salvage } from "../../../src/lib/state/salvage.ts";
import { seeded } from "../../support/seeded.ts";
import { tempDir } from "../../support/temp.ts";

const PAGE = 4096;
const NAME = "state_1.sqlite";

function entry(lane: string, kind: OutboxEntry["kind"], body: string): OutboxEntry {
  const facts = { id: null, firstSeq: null, lastSeq: null, state: "queued" as const, attempts: 0, nextAttemptMs: 0, createdMs: 1_000_000, lastStatus: null, lastError: null, gone: false };
  return { ...facts, lane, kind, body, bytes: body.length };
}

const bodyOf = (n: number): string => JSON.stringify({ output: `result ${n} `.repeat(n % 3 === 0 ? 900 : 20) });

/** A state file with results that wait, small ones and ones over several pages. */
async function fullFile(dir: string, results = 40): Promise<string> {
  const clock = new HeldClock(Date.now());
  const state = await openState({ stateDir: dir, version: "1.0.0", clock, logger: silentLogger });
  const identity = processIdentity(currentPid());
  if (identity === null) throw new Error("no identity");
  await state.beginRun({ identity: { ...identity, startKey: "1" }, port: 1 });
  for (let n = 1; n <= results; n += 1) {
    state.insertTask({ task_id: `task-${n}`, workspace_id: "w", runtime_id: "r", agent_id: "a", provider: "codex", phase: "running" });
    state.outbox.add([entry(`task-${n}`, "messages", JSON.stringify([{ seq: 1, type: "text", content: "x".repeat(n * 10) }])), entry(`task-${n}`, "complete", bodyOf(n))], {
      task: { phase: "reporting", terminal_kind: "complete" },
    });
  }
  state.endRun("clean");
  state.close();
  return join(dir, NAME);
}

/** The pages that hold the row of a result, or a part of its body: found by their text. */
function pagesOf(file: Buffer, n: number): Set<number> {
  const pages = new Set<number>();
  for (let page = 0; page * PAGE < file.length; page += 1) {
    const text = file.toString("latin1", page * PAGE, (page + 1) * PAGE);
    if (text.includes(`task-${n}complete`) || (text.includes(`result ${n} `))) pages.add(page);
  }
  return pages;
}

interface Opened {
  readonly bodies: ReadonlyMap<string, string>;
  readonly salvage: Salvage | null;
  /** Tasks whose result the log calls damaged. */
  readonly said: ReadonlySet<string>;
}

async function start(dir: string): Promise<Opened> {
  let salvage: Salvage | null = null;
  const said = new Set<string>();
  const logger = { ...silentLogger, error: (_text: string, fields?: Readonly<Record<string, unknown>>) => void said.add(String(fields?.["task"])) };
  const state = await openState({ stateDir: dir, version: "1.0.0", clock: systemClock, logger, onSalvage: (one) => (salvage = one) });
  try {
    const identity = processIdentity(currentPid());
    if (identity === null) throw new Error("no identity");
    await state.beginRun({ identity, port: 2 });
    state.leftoverAgents();
    state.markLost();
    const bodies = new Map<string, string>();
    for (const one of state.outbox.load()) if (one.kind === "complete") bodies.set(one.lane, state.outbox.body(one) ?? "");
    return { bodies, salvage, said };
  } finally {
    state.close();
  }
}

describe("a damaged state file", () => {
  it("starts with a byte flipped in any page, and loses no result of another page", async () => {
    const seed = Number(process.env["DAMAGE_SEED"] ?? Date.now() % 1_000_000);
    const random = seeded(seed);
    const sound = readFileSync(await fullFile(tempDir()));
    const places = Array.from({ length: 40 }, (_, index) => pagesOf(sound, index + 1));
    const base = tempDir();
    for (let page = 0; page * PAGE < sound.length; page += 1) {
      // The head of a page decides over all that is in it: that is where every other byte falls.
      const offset = page % 2 === 0 ? Math.floor(random() * 16) : Math.floor(random() * PAGE);
      const bytes = Buffer.from(sound);
      const at = page * PAGE + offset;
      bytes[at] = (bytes[at] ?? 0) ^ (1 << Math.floor(random() * 8));
      const dir = join(base, String(page));
      mkdirSync(dir);
      writeFileSync(join(dir, NAME), bytes, { mode: 0o600 });
      const what = `seed ${seed}, page ${page}, offset ${offset}`;
      const { bodies, salvage, said } = await start(dir).catch((error: unknown) => {
        throw new Error(what, { cause: error });
      });
      const lost = places.flatMap((pages, index) => (pages.has(page) || bodies.get(`task-${index + 1}`) === bodyOf(index + 1) ? [] : [index + 1]));
      expect([what, lost]).toEqual([what, []]);
      // What is not as it was written has been said: SQLite's check finds a broken tree, the row's own a changed letter.
      const unsaid = places.flatMap((_, index) => (bodies.get(`task-${index + 1}`) === bodyOf(index + 1) || salvage !== null || said.has(`task-${index + 1}`) ? [] : [index + 1]));
      expect([what, unsaid]).toEqual([what, []]);
    }
  }, 60_000);

  it("is kept aside, and its log says what was saved [B24]", async () => {
    const dir = tempDir();
    const path = await fullFile(dir);
    const bytes = readFileSync(path);
    bytes.fill(0, 0, PAGE);
    writeFileSync(path, bytes);
    const { bodies, salvage } = await start(dir);
    expect(bodies.size).toBe(40);
    expect(salvage?.tables["outbox"]).toEqual({ saved: 80, lost: 0 });
    expect(salvage?.tables["task"]).toEqual({ saved: 40, lost: 0 });
    const kept = readdirSync(dir).filter((name) => name.includes("corrupt-"));
    expect(kept).toHaveLength(1);
    expect(readFileSync(join(dir, kept[0] ?? "")).equals(bytes)).toBe(true);
    expect(statSync(join(dir, kept[0] ?? "")).mode & 0o777).toBe(0o600);
    // The rebuilt file is sound, and the next start finds nothing.
    expect((await start(dir)).salvage).toBeNull();
  });

  it("is replaced by an empty one when nothing of it can be read", async () => {
    const dir = tempDir();
    writeFileSync(join(dir, NAME), "not a database, but long enough to be read as one ".repeat(400), { mode: 0o600 });
    const { bodies, salvage } = await start(dir);
    expect([bodies.size, salvage?.tables["outbox"]]).toEqual([0, { saved: 0, lost: 0 }]);
  });

  it("loses nothing that was committed before a cut of power (B20)", async () => {
    const dir = tempDir();
    const state = await openState({ stateDir: dir, version: "1.0.0", clock: systemClock, logger: silentLogger });
    const identity = processIdentity(currentPid());
    if (identity === null) throw new Error("no identity");
    await state.beginRun({ identity, port: 1 });
    state.insertTask({ task_id: "task-1", workspace_id: "w", runtime_id: "r", agent_id: "a", provider: "codex", phase: "running" });
    state.outbox.add([entry("task-1", "complete", bodyOf(1))], { durable: true, task: { phase: "reporting" } });
    const committed = statSync(`${join(dir, NAME)}-wal`).size;
    // Written, but never synced: a cut may take all of it, or half of a frame.
    for (let n = 0; n < 20; n += 1) state.outbox.add([entry("task-1", "messages", "x".repeat(5000))]);
    const cut = join(tempDir(), "cut");
    mkdirSync(cut);
    copyFileSync(join(dir, NAME), join(cut, NAME));
    writeFileSync(join(cut, `${NAME}-wal`), readFileSync(`${join(dir, NAME)}-wal`).subarray(0, committed + 1000), { mode: 0o600 });
    state.close();
    const db = openDatabase(join(cut, NAME));
    db.exec("DELETE FROM lease");
    db.close();
    expect((await start(cut)).bodies.get("task-1")).toBe(bodyOf(1));
  });
});

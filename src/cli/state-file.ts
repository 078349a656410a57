import { stateJournalMode } from "../lib/config/index.ts";
import { EXIT, MulticaError, errorText } from "../lib/core/index.ts";
import { packageRoot, pathExists, processEnv, systemClock, writeFileIfAbsent } from "../lib/platform/index.ts";
import { silentLogger } from "../lib/platform/logger.ts";
import type { HomePlaces, OpenStateOptions, Salvage, StateFinding, StateInspector, StateStatus } from "../lib/state/index.ts";
import { askDaemon, awaitJob } from "./state-daemon.ts";
import { versionInfo } from "./version.ts";

/** What the two files of a profile hold: from the daemon when one runs, else from the files; nothing is made or written (state-db.md 19.3). */
export async function readStatus(wish: { readonly stateDir: string; readonly dead: boolean; readonly lane?: string | undefined }): Promise<StateStatus> {
  const { stateDir, dead, lane } = wish;
  const params: [string, string][] = [["dead", String(dead)], ...(lane === undefined ? [] : ([["lane", lane]] as [string, string][]))];
  const asked = await askDaemon(stateDir, (port) => port.status<StateStatus>(params));
  const { readIndexStatus } = await import("../lib/state/index-db/look.ts");
  const index = await readIndexStatus(stateDir);
  const { stateStatus, withIndex } = await import("../lib/state/index.ts");
  if (asked.kind === "answer" && asked.value.state !== null) return withIndex(asked.value, index, systemClock.now());
  const reader = await openReader(stateDir);
  try {
    return stateStatus(reader, { index, dead, lane, nowMs: systemClock.now() });
  } finally {
    reader?.close();
  }
}

interface Sound {
  readonly ok: boolean;
  readonly findings: readonly StateFinding[];
}

export interface CheckResult {
  readonly state: Sound;
  /** Null when there is no index. */
  readonly index: Sound | null;
  readonly actions: readonly string[];
}

export interface CheckWish {
  readonly stateDir: string;
  readonly full: boolean;
  /** Every row of the index against its file, not a sample. */
  readonly all: boolean;
  /** Makes the index anew when something is wrong with it; given = where it is made from. */
  readonly repairIndex?: HomePlaces | undefined;
}

const sound = (findings: readonly StateFinding[]): Sound => ({ ok: findings.length === 0, findings });

/** Reads both files through and says what is wrong with them; the daemon does it when one runs (state-db.md 19.5). */
export async function checkFiles(wish: CheckWish): Promise<CheckResult> {
  const { stateDir, full, all, repairIndex } = wish;
  const asked = await askDaemon(stateDir, async (port) => awaitJob<CheckResult>(port, await port.check({ full, all, repair_index: repairIndex !== undefined })));
  if (asked.kind === "answer" && asked.value !== null) return asked.value;
  const { checkIndexFile } = await import("../lib/state/index-db/look.ts");
  const look = async (): Promise<Sound | null> => {
    const findings = await checkIndexFile(stateDir, { full, all, nowMs: systemClock.now() });
    return findings === null ? null : sound(findings);
  };
  const state = await checkStateFile(stateDir, full);
  const index = await look();
  if (repairIndex === undefined || index === null || index.ok) return { state, index, actions: [] };
  await remakeIndex(stateDir, repairIndex);
  return { state, index: await look(), actions: ["the index was made anew"] };
}

async function checkStateFile(stateDir: string, full: boolean): Promise<Sound> {
  let reader: StateInspector | null = null;
  try {
    reader = await openReader(stateDir);
    return sound(reader?.check(full) ?? []);
  } catch (error) {
    if (!(error instanceof MulticaError) || (error.code !== "state_corrupt" && error.code !== "state_failed")) throw error;
    return sound([{ code: "damage", detail: errorText(error) }]);
  } finally {
    reader?.close();
  }
}

/** Puts the index aside and makes a new one of the rollouts. */
async function remakeIndex(stateDir: string, places: HomePlaces): Promise<void> {
  const { openIndex } = await import("../lib/state/index-db/open.ts");
  const options = { stateDir, places, journalMode: stateJournalMode(processEnv()), version: versionInfo(packageRoot()).version, clock: systemClock, logger: silentLogger };
  // What cannot be opened is made anew by the opening itself.
  const old = await openIndex({ ...options, asItIs: true });
  await old.discard();
  await old.close();
  await (await openIndex(options)).close();
}

/** Writes a copy of the state file to a path where nothing is yet (exit 7). False when there is no state file. */
export async function backUpFile(stateDir: string, target: string): Promise<boolean> {
  const reader = await openReader(stateDir);
  if (reader === null) return false;
  try {
    if (await pathExists(target)) throw new MulticaError("exists", `${target} is there already`, { exit: EXIT.conflict });
    // Made empty first: SQLite would create it readable for everybody.
    await writeFileIfAbsent(target, "", { mode: 0o600 });
    reader.backUp(target);
    return true;
  } finally {
    reader.close();
  }
}

/** Makes a new state file of what can be read of the old one. Needs the daemon stopped (exit 7). Null when there is no file. */
export function salvageFile(wish: { readonly stateDir: string; readonly profile: string }): Promise<Salvage | null> {
  return alone(wish, async (options) => (await import("../lib/state/open.ts")).salvageState(options));
}

/** Gives unused space back. Needs the daemon stopped (exit 7). */
export function compactFile(wish: { readonly stateDir: string; readonly profile: string; readonly full: boolean }): Promise<void> {
  return alone(wish, async (options) => (await import("../lib/state/open.ts")).compactState(options, wish.full));
}

/** Works on the file while no daemon can. */
async function alone<T>(wish: { readonly stateDir: string; readonly profile: string }, work: (options: OpenStateOptions) => Promise<T>): Promise<T> {
  const { holdStateDir } = await import("../lib/daemon/single.ts");
  const lock = await holdStateDir(wish.stateDir, wish.profile);
  try {
    return await work({ stateDir: wish.stateDir, journalMode: stateJournalMode(processEnv()), version: versionInfo(packageRoot()).version, clock: systemClock, logger: silentLogger });
  } finally {
    lock.release();
  }
}

async function openReader(stateDir: string): Promise<StateInspector | null> {
  const { openStateReader } = await import("../lib/state/open.ts");
  return openStateReader({ stateDir });
}

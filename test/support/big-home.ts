import { appendFileSync, closeSync, ftruncateSync, linkSync, mkdirSync, openSync, truncateSync, utimesSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileTime, rolloutName, rolloutText, type Thread, threadId, writeRollout } from "./rollouts.ts";

/** What an index of a generated home has to answer. */
export interface BigHome {
  /** Live threads that a listing shows: id → what is expected of it. */
  readonly live: ReadonlyMap<string, { readonly title: string; readonly tokens: number }>;
  readonly archived: ReadonlySet<string>;
  /** Files whose names speak of a thread that they do not carry. */
  readonly liars: readonly { readonly named: string; readonly carries: string }[];
  readonly files: number;
  /** The rollouts of a gibibyte each. */
  readonly huge: readonly string[];
}

const START = Date.UTC(2025, 0, 1);

/** A small generator of the same numbers for the same seed. */
function numbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/**
 * A Codex home of `count` rollouts as years of work leave it: both histories, days apart, compressed files, archived ones,
 * gaps and torn last lines, copies, hard links, names with two ids, and files of 1 GiB that hold almost nothing.
 */
export function makeBigHome(home: string, count: number, seed: number): BigHome {
  const random = numbers(seed);
  const live = new Map<string, { title: string; tokens: number }>();
  const archived = new Set<string>();
  const liars: { named: string; carries: string }[] = [];
  const huge: string[] = [];
  let files = 0;
  for (let n = 0; n < count; n += 1) {
    const at = START + Math.floor(n * (400 * 86_400_000) / count) + Math.floor(random() * 1000);
    const thread: Thread = { id: threadId(at, n), at, text: `Task ${n}`, tokens: 100 + n, turns: Math.floor(random() * 3), history: random() < 0.4 ? "legacy" : "paginated" };
    const kind = n % 50;
    files += 1;
    if (kind === 1) archived.add(writeAs(home, thread, { path: join("archived_sessions", rolloutName(thread)) }));
    else live.set(writeAs(home, thread, kind === 2 || kind === 3 ? { zst: true } : {}), { title: `Task ${n}`, tokens: 100 + n });
    const path = join(home, "sessions", ...new Date(at).toISOString().slice(0, 10).split("-"), rolloutName(thread));
    if (kind === 4) appendFileSync(path, '{"timestamp":"2026-01-01T00:00:00.000Z","type":"event_msg","payload":{"type":"token_cou');
    if (kind === 5) appendFileSync(path, `${"\0".repeat(4096)}\n`);
    if (kind === 6) {
      writeRollout(home, { ...thread, text: "a stale copy" }, { path: join("archived_sessions", rolloutName(thread)) });
      files += 1;
    }
    if (kind === 7) {
      const copy = join(home, "sessions", "copies", rolloutName(thread));
      mkdirSync(dirname(copy), { recursive: true });
      linkSync(path, copy);
      files += 1;
    }
    if (kind === 8) {
      const other = threadId(at, n + 1_000_000);
      const both = { ...thread, id: threadId(at, n + 2_000_000) };
      live.set(writeAs(home, both, { path: join("sessions", "two", `rollout-${fileTime(at)}-${both.id}-${other}.jsonl`) }), { title: `Task ${n}`, tokens: 100 + n });
      liars.push({ named: other, carries: both.id });
      files += 1;
    }
    if (n % Math.ceil(count / 3) === 9) {
      const fd = openSync(path, "r+");
      ftruncateSync(fd, 2 ** 30);
      closeSync(fd);
      appendFileSync(path, `\n${JSON.stringify({ timestamp: "2026-01-01T00:00:00.000Z", type: "event_msg", payload: { type: "token_count", info: { total_token_usage: { total_tokens: 9_000_000 + n } } } })}\n`);
      live.set(thread.id, { title: `Task ${n}`, tokens: 9_000_000 + n });
      huge.push(path);
    }
    if (kind !== 1 && kind !== 2 && kind !== 3) utimesSync(path, at / 1000, at / 1000);
  }
  // An empty file and one that says nothing: there, and nobody's.
  truncateSync(writeRollout(home, { id: threadId(START, 9_999_999), at: START }), 0);
  return { live, archived, liars, files: files + 1, huge };
}

function writeAs(home: string, thread: Thread, options: { path?: string; zst?: boolean }): string {
  writeRollout(home, thread, { ...options, text: rolloutText(thread) });
  return thread.id;
}

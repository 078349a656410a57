import { isUuid } from "../../../core/index.ts";

/** What a rollout's file name says. */
export interface RolloutName {
  /** The thread the name speaks of: its last id, if the name is the writer's own form. */
  readonly threadId: string | null;
  /** Start of the thread; the name's local digits read as UTC. Epoch milliseconds. */
  readonly createdMs: number | null;
  readonly compressed: boolean;
  /** The name of the uncompressed form. */
  readonly plain: string;
}

const NAME = /^rollout-(?:(\d{4}-\d{2}-\d{2}T\d{2}-\d{2}-\d{2})-)?.*?\.jsonl(\.zst)?$/;
const CANONICAL = /^rollout-\d{4}-\d{2}-\d{2}T\d{2}-\d{2}-\d{2}-([0-9a-fA-F-]{36})\.jsonl(?:\.zst)?$/;

/**
 * Reads a rollout's file name; null for any other file (state-db.md 2, 6.2). Only `rollout-<time>-<uuid>` speaks of a
 * thread: a name with more in it (a second id, a suffix) leaves the word to the file's own first record.
 */
export function parseRolloutName(name: string): RolloutName | null {
  const match = NAME.exec(name);
  if (match === null) return null;
  const id = CANONICAL.exec(name)?.[1]?.toLowerCase();
  return {
    threadId: id !== undefined && isUuid(id) ? id : null,
    createdMs: match[1] === undefined ? null : parseTime(match[1]),
    compressed: match[2] !== undefined,
    plain: match[2] === undefined ? name : name.slice(0, -".zst".length),
  };
}

/** RFC 3339, or `YYYY-MM-DDThh-mm-ss` read as UTC, as epoch milliseconds; null when it is neither. */
export function parseTime(text: string): number | null {
  const local = /^(\d{4}-\d{2}-\d{2})T(\d{2})-(\d{2})-(\d{2})$/.exec(text);
  const ms = local === null ? Date.parse(text) : Date.parse(`${local[1]}T${local[2]}:${local[3]}:${local[4]}Z`);
  return Number.isFinite(ms) ? ms : null;
}

/** The moment inside a UUIDv7, epoch milliseconds; null for other versions. */
export function uuidTime(id: string): number | null {
  if (!isUuid(id) || id[14] !== "7") return null;
  const ms = Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
  return Number.isFinite(ms) && ms > 0 ? ms : null;
}

import { type Entry, type Lane, waitsForFile } from "./lane.ts";

/** What one request carries at most when batches ride together. */
const RIDE_MESSAGES = 500;
const RIDE_BYTES = 512 * 1024;

/**
 * Batches of messages that go along with the first of their lane in one request: those right behind it that have never
 * been sent. A fast agent, or an hour without a server, would otherwise cost a request for each hundred messages.
 */
export function ridersOf(lane: Lane, entry: Entry, now: number): Entry[] {
  if (lane.alone || !rides(entry) || lane.entries[0] !== entry) return [];
  const riders: Entry[] = [];
  let bytes = entry.bytes;
  for (const next of lane.entries.slice(1, 1 + RIDE_MESSAGES)) {
    bytes += next.bytes;
    if (!rides(next) || waitsForFile(next, now) || bytes > RIDE_BYTES || (next.lastSeq ?? 0) - (entry.firstSeq ?? 0) >= RIDE_MESSAGES) break;
    riders.push(next);
  }
  return riders;
}

function rides(entry: Entry): boolean {
  return entry.kind === "messages" && entry.state === "queued" && entry.attempts === 0 && entry.chunk === null;
}

/** The bodies as one list; null when one of them cannot be read, and then each is tried alone. */
export function joined(bodies: readonly (string | null)[]): string | null {
  const [only] = bodies;
  if (bodies.length === 1) return only ?? null;
  const known = bodies.filter((body) => body !== null);
  return known.length < bodies.length ? null : `[${known.map((body) => body.slice(1, -1)).join(",")}]`;
}

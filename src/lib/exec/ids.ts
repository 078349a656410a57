import { randomInt } from "node:crypto";
import { MulticaError } from "../core/index.ts";
import type { ExecCore } from "./core.ts";

const ALPHABET = "abcdefghijklmnopqrstuvwxyz234567";
const XID_CHARS = 10;
const LOWEST = 1000;
const BEYOND = 100_000;
const TRIES = 10_000;
/** So long an id that somebody may remember does not get another meaning. */
const REMEMBERED_MS = 10 * 60_000;

/** Random name of a process's directory and socket: 10 characters of base32. */
export function newXid(): string {
  return Array.from({ length: XID_CHARS }, () => ALPHABET[randomInt(ALPHABET.length)] ?? "a").join("");
}

export function isXid(name: string): boolean {
  return /^[a-z2-7]{10}$/.test(name);
}

export function checkThreadId(threadId: string): void {
  if (!/^[a-z]+:[A-Za-z0-9._:-]{1,160}$/.test(threadId)) throw new MulticaError("invalid", `not a thread: ${threadId}`, { exit: 5 });
}

/** Takes a free id of the thread, before anything is started with it (exec-sessions.md 3, 14). */
export function allocateId(core: ExecCore, threadId: string, reserve: (id: string) => boolean): string {
  const now = core.parts.clock.now();
  for (let tries = 0; tries < TRIES; tries += 1) {
    const id = String(randomInt(LOWEST, BEYOND));
    const last = core.book.find(threadId, id);
    const remembered = last !== undefined && (!last.final || now - (last.row.exited_at_ms ?? last.row.created_at_ms) < REMEMBERED_MS);
    if (!remembered && !core.detached.has(threadId, id) && reserve(id)) return id;
  }
  throw new MulticaError("limit", "no free process id in this thread", { exit: 7 });
}

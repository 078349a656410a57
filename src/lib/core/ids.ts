import { createHash, randomBytes, randomUUID } from "node:crypto";

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** True for a dashed UUID of any version. */
export function isUuid(text: string): boolean {
  return UUID.test(text);
}

/** The first eight characters of an id without dashes: how directories of older daemons are named (execenv.md 2). */
export function shortId(id: string): string {
  return id.replaceAll("-", "").slice(0, 8);
}

/**
 * Each id's first eight characters, or as many as tell it from the others: the head of a time-ordered id is the same for
 * everything made within a minute.
 */
export function shortIds(ids: readonly string[]): (id: string) => string {
  const all = [...new Set(ids)];
  return (id) => {
    let length = 8;
    while (length < id.length && (id[length - 1] === "-" || all.some((other) => other !== id && other.startsWith(id.slice(0, length))))) length += 1;
    return id.slice(0, length);
  };
}

/**
 * The last twelve characters of an id without dashes: names of env roots and branches.
 * The tail, because the head of a UUIDv7 is the same for all tasks of one minute (execenv.md 2).
 */
export function taskKey(id: string): string {
  return id.replaceAll("-", "").slice(-12);
}

/** A random UUID (version 4). */
export function uuid(): string {
  return randomUUID();
}

/** A UUIDv7: ordered by `nowMs` (epoch milliseconds), random behind it. */
export function uuid7(nowMs: number): string {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(Math.max(0, Math.floor(nowMs)), 0, 6);
  bytes[6] = 0x70 | ((bytes[6] ?? 0) & 0x0f);
  bytes[8] = 0x80 | ((bytes[8] ?? 0) & 0x3f);
  const hex = bytes.toString("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

/** Lower-case hex SHA-256 of a text (UTF-8) or of bytes. */
export function sha256Hex(data: string | Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}

/** `count` random bytes as hex. */
export function randomHex(count: number): string {
  return randomBytes(count).toString("hex");
}

/** A branch segment from a display name: `[a-z0-9-]`, at most 30 characters, never empty (execenv.md 2). */
export function sanitizeName(name: string): string {
  return dashed(name).slice(0, 30).replace(/-+$/, "") || "agent";
}

/** A directory slug for a skill: like a name but uncut (execenv.md 2). */
export function sanitizeSkillName(name: string): string {
  return dashed(name) || "skill";
}

function dashed(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "");
}

/** The environment variable that every process of a task bears with the task's id (decision 17): what sweeps go by. */
export const TASK_MARKER = "MULTICA_TASK_ID";

import { asString, isObject, redactText } from "../../../core/index.ts";

const LIMIT_BYTES = 64 * 1024;

interface Change {
  path: string;
  kind?: string;
  diff?: string;
  content?: string;
  move_path?: string;
  truncated?: true;
}

/**
 * The changes of a patch as one shape, for both dialects: a map path → change (legacy) or a list (current).
 * Bodies are redacted first and then limited to 64 KiB in all, so that a cut can never lay a secret open (agents.md 14.7).
 */
export function changesInput(raw: unknown): Record<string, unknown> | undefined {
  const changes = readChanges(raw);
  if (changes.length === 0) return undefined;
  const original = changes.reduce((total, change) => total + bodyBytes(change), 0);
  const cut = limitBodies(changes);
  return cut ? { changes, truncated: true, original_bytes: original } : { changes };
}

/** `<status> (<n> files)`, or what of the two is known. */
export function changesHeadline(status: string, raw: unknown): string {
  const count = readChanges(raw).length;
  if (count === 0) return status;
  const files = count === 1 ? "1 file" : `${count} files`;
  return status === "" ? `${files} changed` : `${status} (${files})`;
}

function readChanges(raw: unknown): Change[] {
  if (Array.isArray(raw)) return raw.flatMap((entry) => (isObject(entry) ? [currentChange(entry)] : []));
  if (!isObject(raw)) return [];
  return Object.entries(raw)
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .flatMap(([path, entry]) => (isObject(entry) ? [legacyChange(path, entry)] : []));
}

function currentChange(entry: Readonly<Record<string, unknown>>): Change {
  const kindObject = isObject(entry.kind) ? entry.kind : {};
  const kind = typeof entry.kind === "string" ? entry.kind : asString(kindObject.type);
  const move = asString(kindObject.move_path);
  const diff = asString(entry.diff);
  const body = move === "" ? diff : withoutMoveNote(diff, move);
  return change(asString(entry.path), kind, kind === "add" || kind === "delete" ? { content: body } : { diff: body }, move);
}

function legacyChange(path: string, entry: Readonly<Record<string, unknown>>): Change {
  const diff = asString(entry.unified_diff);
  const body = diff === "" ? { content: asString(entry.content) } : { diff };
  return change(path, asString(entry.type), body, asString(entry.move_path));
}

function change(path: string, kind: string, body: { diff?: string; content?: string }, move: string): Change {
  const result: Change = { path };
  if (kind !== "") result.kind = kind;
  if (body.diff) result.diff = redactText(body.diff);
  if (body.content) result.content = redactText(body.content);
  if (move !== "") result.move_path = move;
  return result;
}

function withoutMoveNote(diff: string, move: string): string {
  const note = `\n\nMoved to: ${move}`;
  return diff.endsWith(note) ? diff.slice(0, -note.length) : diff;
}

function bodyBytes(entry: Change): number {
  return Buffer.byteLength(entry.diff ?? "") + Buffer.byteLength(entry.content ?? "");
}

/** Cuts in the order of the list; true when something was cut. */
function limitBodies(changes: Change[]): boolean {
  let left = LIMIT_BYTES;
  let any = false;
  for (const entry of changes) {
    for (const field of ["diff", "content"] as const) {
      const text = entry[field];
      if (text === undefined) continue;
      const bytes = Buffer.byteLength(text);
      if (bytes > left) {
        any = true;
        entry.truncated = true;
        const kept = cutUtf8(text, left);
        if (kept === "") delete entry[field];
        else entry[field] = kept;
      }
      left = Math.max(0, left - bytes);
    }
  }
  return any;
}

/** The longest beginning of `text` that fits into `bytes` without cutting a character. */
function cutUtf8(text: string, bytes: number): string {
  const buffer = Buffer.from(text);
  let end = Math.min(bytes, buffer.length);
  while (end > 0 && ((buffer[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return buffer.subarray(0, end).toString("utf8");
}

import { isObject, parseJson } from "../core/json.ts";

/** Kinds of output and their number in a binary frame; the same numbers as in the log (exec-sessions.md 16.3). */
const OUTPUT_KINDS = { stdout: 1, stderr: 2, pty: 3, stdin: 9 } as const;
export type OutputKind = keyof typeof OUTPUT_KINDS;
const HEADER_BYTES = 17;

/** One record of a process's log on its way to a viewer. */
export interface ExecFrame {
  readonly seq: number;
  readonly timeMs: number;
  readonly kind: OutputKind | "gap" | "resize" | "exited" | "closed" | "note";
  readonly data?: Buffer;
  readonly gap?: { readonly first: number; readonly last: number; readonly bytes: number };
  readonly size?: { readonly cols: number; readonly rows: number };
  readonly exit?: { readonly code: number | null; readonly signal: string | null };
  readonly text?: string;
}

/** A frame that tells that something the viewer asked for did not happen. */
export interface ExecFrameError {
  readonly kind: "error";
  readonly code: string;
  readonly message: string;
}

/** Output as `u8 kind, u64 seq, u64 time, bytes` (little-endian), everything else as JSON (exec-sessions.md 18.2). */
export function encodeExecFrame(event: ExecFrame): Buffer | string {
  const { kind, data, timeMs, ...rest } = event;
  if (data === undefined || !isOutputKind(kind)) return JSON.stringify({ ...rest, ev: kind, t: timeMs });
  const frame = Buffer.alloc(HEADER_BYTES + data.length);
  frame.writeUInt8(OUTPUT_KINDS[kind], 0);
  frame.writeBigUInt64LE(BigInt(event.seq), 1);
  frame.writeBigUInt64LE(BigInt(timeMs), 9);
  data.copy(frame, HEADER_BYTES);
  return frame;
}

/** The other way round; undefined for what this version does not know. */
export function decodeExecFrame(frame: Buffer, binary: boolean): ExecFrame | ExecFrameError | undefined {
  if (!binary) return decodeText(frame.toString("utf8"));
  const kind = frame.length < HEADER_BYTES ? undefined : Object.entries(OUTPUT_KINDS).find(([, number]) => number === frame[0])?.[0];
  if (kind === undefined || !isOutputKind(kind)) return undefined;
  return { kind, seq: Number(frame.readBigUInt64LE(1)), timeMs: Number(frame.readBigUInt64LE(9)), data: frame.subarray(HEADER_BYTES) };
}

function decodeText(text: string): ExecFrame | ExecFrameError | undefined {
  const value = parseJson(text);
  if (!isObject(value) || typeof value["ev"] !== "string") return undefined;
  const { ev, t, ...rest } = value;
  if (ev === "error") return { kind: "error", code: String(value["code"]), message: String(value["message"]) };
  return { ...(rest as object), kind: ev as ExecFrame["kind"], timeMs: Number(t), seq: Number(value["seq"]) };
}

function isOutputKind(kind: string): kind is OutputKind {
  return Object.hasOwn(OUTPUT_KINDS, kind);
}

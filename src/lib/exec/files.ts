import { join } from "node:path";
import { isObject, parseJson } from "../core/index.ts";
import { readTextIfExistsNow } from "../platform/index.ts";
import type { HostExit, HostMeta } from "./protocol.ts";

type Shape = Readonly<Record<string, "string" | "number" | "boolean" | "object">>;

const EXIT_SHAPE: Shape = { reason: "string", started_at_ms: "number", exited_at_ms: "number", last_seq: "number", total_bytes: "number", dropped_bytes: "number" };
const META_SHAPE: Shape = {
  ...{ xid: "string", dir: "string", socket: "string", instance_id: "string", thread_id: "string", process_id: "string", nonce_hash: "string", cwd: "string" },
  ...{ boot_id: "string", host_pid: "number", host_start_key: "string", generation: "number", created_at_ms: "number", owner: "object", argv: "object" },
};

/** `exit.json` of a host's directory; null when the command has not ended, or the file is not whole. */
export function readExit(dir: string): HostExit | null {
  return read(join(dir, "exit.json"), EXIT_SHAPE) as HostExit | null;
}

/** `meta.json` of a host's directory; null when it is not there or not whole. */
export function readMeta(dir: string): HostMeta | null {
  return read(join(dir, "meta.json"), META_SHAPE) as HostMeta | null;
}

/** The host's token; null when it is gone. */
export function readToken(dir: string): string | null {
  return readTextIfExistsNow(join(dir, "token")) ?? null;
}

function read(path: string, shape: Shape): unknown {
  const value = parseJson(readTextIfExistsNow(path) ?? "");
  if (!isObject(value)) return null;
  return Object.entries(shape).every(([name, type]) => typeof value[name] === type && value[name] !== null) ? value : null;
}

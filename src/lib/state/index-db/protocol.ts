import type { CheckOptions } from "./check.ts";
import type { HomePlaces } from "./homes.ts";
import type { RefreshOptions } from "./handle.ts";
import type { FindOptions, SessionQuery } from "./types.ts";

/** What the worker thread is started with. */
export interface WorkerData {
  readonly stateDir: string;
  readonly version: string;
  readonly places: HomePlaces;
  readonly journalMode?: "wal" | "delete";
  readonly asItIs: boolean;
  readonly idleMs: number;
}

/** What may be asked of the index across the thread's border. */
export type Call =
  | { readonly name: "list"; readonly query: SessionQuery }
  | { readonly name: "get"; readonly threadId: string }
  | { readonly name: "idsWithPrefix"; readonly prefix: string; readonly limit: number }
  | { readonly name: "find"; readonly threadId: string; readonly options: FindOptions }
  | { readonly name: "files"; readonly threadId: string }
  | { readonly name: "refresh"; readonly options: Pick<RefreshOptions, "homes" | "force"> }
  | { readonly name: "status" }
  | { readonly name: "check"; readonly options: CheckOptions }
  | { readonly name: "discard" }
  /** Of the other file; needs no index. */
  | { readonly name: "checkState"; readonly full: boolean };

export type ToWorker = { readonly kind: "call"; readonly id: number; readonly call: Call } | { readonly kind: "stop" };

export type LogLevel = "debug" | "info" | "warn" | "error";

export type FromWorker =
  | { readonly kind: "ready"; readonly path: string }
  /** The index is not to be used until the next `ready`. */
  | { readonly kind: "away" }
  /** Nobody has asked for a while: the thread ends, and is started again by the next question. */
  | { readonly kind: "asleep" }
  | { readonly kind: "answer"; readonly id: number; readonly value: unknown }
  | { readonly kind: "failure"; readonly id: number; readonly code: string; readonly message: string }
  | { readonly kind: "log"; readonly level: LogLevel; readonly message: string; readonly fields: Readonly<Record<string, unknown>> };

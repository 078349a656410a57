import type { Clock, Db } from "../platform/index.ts";
import type { Logger } from "../platform/logger.ts";
import { MAX_UPLOAD_BYTES } from "../wire/index.ts";
import type { Audit } from "./services/tasks/audit.ts";

/** Who a request acts as (server-api.md 2.5). `userId` is the human behind it, also for agents. */
export interface Actor {
  readonly type: "member" | "agent";
  readonly userId: string;
  readonly agentId?: string;
  readonly taskId?: string;
  readonly workspaceId?: string;
}

/** Something that listeners (the daemon socket) hear about once the transaction that caused it is on disk. */
export type BusEvent =
  | { readonly type: "task_available"; readonly runtimeId: string; readonly taskId: string }
  | { readonly type: "task_deferred"; readonly runtimeId: string; readonly fireAt: number }
  | { readonly type: "runtime_profiles_changed"; readonly workspaceId: string; readonly profileId: string }
  | { readonly type: "workspaces_changed"; readonly userId: string }
  | { readonly type: "pending_work"; readonly runtimeId: string; readonly kind: string };

export interface Bus {
  emit(event: BusEvent): void;
  /** Returns the function that ends the subscription. */
  subscribe(listener: (event: BusEvent) => void): () => void;
}

/** Every duration the task state machine and the socket depend on, in milliseconds (server-api.md 11, 10.3). */
export interface Thresholds {
  readonly sweepEveryMs: number;
  readonly runtimeOfflineMs: number;
  readonly prepareLeaseMs: number;
  readonly redeliverAfterMs: number;
  readonly dispatchTimeoutMs: number;
  readonly runningTimeoutMs: number;
  readonly offlineGraceMs: number;
  readonly queueExpiryMs: number;
  /** How long a retry waits for the runtime that went offline under its task. */
  readonly reconnectMs: number;
  /** How long a cancelled chat turn may still send words. */
  readonly chatOutcomeMs: number;
  readonly runtimeDeleteMs: number;
  readonly taskTokenMs: number;
  readonly socketPingMs: number;
  readonly socketReadMs: number;
  readonly shutdownMs: number;
}

export const DEFAULT_THRESHOLDS: Thresholds = {
  sweepEveryMs: 30_000,
  runtimeOfflineMs: 150_000,
  prepareLeaseMs: 45_000,
  redeliverAfterMs: 90_000,
  dispatchTimeoutMs: 300_000,
  runningTimeoutMs: 9_000_000,
  // A laptop that slept is not a dead daemon (server-api.md 14.5).
  offlineGraceMs: 15 * 60_000,
  queueExpiryMs: 2 * 3_600_000,
  // A machine that sleeps overnight keeps its work (server-api.md 14.5); 3 h are for servers with many people.
  reconnectMs: 24 * 3_600_000,
  chatOutcomeMs: 60_000,
  runtimeDeleteMs: 7 * 24 * 3_600_000,
  taskTokenMs: 24 * 3_600_000,
  socketPingMs: 54_000,
  socketReadMs: 60_000,
  shutdownMs: 5_000,
};

/** Sizes a request may have. */
interface Limits {
  readonly bodyBytes: number;
  /** Of the one route that takes files. */
  readonly uploadBytes: number;
  /** Of what a webhook is told. */
  readonly deliveryBytes: number;
  readonly socketMessageBytes: number;
}

export const DEFAULT_LIMITS: Limits = {
  bodyBytes: 10 * 1024 * 1024,
  // The file and the form around it.
  uploadBytes: MAX_UPLOAD_BYTES + 64 * 1024,
  deliveryBytes: 1024 * 1024,
  socketMessageBytes: 64 * 1024,
};

/** What every route and service of the server gets; made once by startServer. */
export interface ServerContext {
  readonly db: Db;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly bus: Bus;
  readonly thresholds: Thresholds;
  readonly limits: Limits;
  readonly jwtSecret: Uint8Array;
  /** Where uploaded files are. */
  readonly filesDir: string;
  /** True when only this machine can reach the server: whoever sits at it is the local user. */
  readonly local: boolean;
  /** Address of a JSON list of skills that `GET /api/skills/search` looks through; without one there is no catalogue. */
  readonly skillCatalogue?: string;
  /** Product version, for GET /api/config. */
  readonly version: string;
  /** Only in tests of clients: repeats are kept and counted instead of swallowed. */
  readonly audit?: Audit;
}

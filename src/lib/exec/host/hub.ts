import type { Clock, ProcessIdentity } from "../../platform/index.ts";
import type { HostSession } from "./session.ts";

/** What a connection says first. */
export interface Hello {
  readonly token: string;
  readonly role: "owner" | "viewer";
  readonly epoch: number;
  readonly instanceId: string;
}

/** What a connection asks of those who know all connections. */
export interface Hub<C> {
  readonly session: HostSession;
  readonly clock: Clock;
  /** Null when it may come in, else why not. */
  admit(connection: C, hello: Hello): "bad_token" | "foreign" | "stale_epoch" | null;
  /** Closes a connection that did not prove who it is, slowly. */
  dismiss(connection: C): void;
  isOwner(connection: C): boolean;
  setOrphanMs(ms: number): void;
  /** The owner has everything up to there. */
  bye(seq: number): void;
  /** Passes the lock the host holds on to another process; empty when it holds none. */
  passLock(to: ProcessIdentity): string;
}

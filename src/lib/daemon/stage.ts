import type { DaemonConfig } from "../config/index.ts";
import type { Clock, Env } from "../platform/index.ts";
import type { Logger } from "../platform/logger.ts";
import type { Base } from "./assemble.ts";
import type { CleanUp } from "./clean-up.ts";
import type { Limits } from "./limits.ts";
import type { LocalListener } from "./local-port/listen.ts";
import type { RestartTarget } from "./update/target.ts";

export interface RunDaemonOptions {
  readonly config: DaemonConfig;
  /** The process environment; agents start from it. */
  readonly env: Readonly<Env>;
  readonly home: string;
  /** Version of this product. */
  readonly version: string;
  /** Aborting it asks for an orderly shutdown: running agents are cancelled with their grace. */
  readonly signal: AbortSignal;
  /** Aborting it before asks for patience: nothing more is claimed, and running tasks get their time to finish first. */
  readonly finishFirst?: AbortSignal;
  /** Aborting it ends every process of the running tasks at once, whatever is lost. */
  readonly killNow?: AbortSignal;
  /** Work without the state file: weaker crash recovery. */
  readonly noState?: boolean;
  /** Log to stderr instead of the state directory's `daemon.log`. */
  readonly logToStderr?: boolean;
  readonly clock?: Clock;
  readonly limits?: Partial<Limits>;
  readonly runTask?: Base["runTask"];
  /** Flags for a successor that takes over after an update; absent: somebody else watches this process, it never replaces itself. */
  readonly successorFlags?: readonly string[];
  /** How agents start this product again. */
  readonly self?: { readonly node: string; readonly script: string };
  readonly onReady?: (place: { readonly port: number }) => void;
}

/** What the steps of a start hand on to one another. */
export interface Stage {
  readonly options: RunDaemonOptions;
  readonly clock: Clock;
  readonly limits: Limits;
  readonly logger: Logger;
  readonly listener: LocalListener;
  /** Aborted when the daemon is to end; the reason of a fatal error is kept in `fatal`. */
  readonly root: AbortController;
  readonly undo: CleanUp;
  /** Set when a successor is to be started at the end. */
  readonly successor: { target: RestartTarget | null };
}

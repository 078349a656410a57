import type { Daemon } from "./assemble.ts";
import type { ExecEnding } from "./exec/ending.ts";
import { healthOf } from "./health.ts";
import { presenceOf } from "./health-presence.ts";
import type { AccessParts } from "./local-port/access.ts";
import { createLocalApp } from "./local-port/app.ts";
import type { ExecPort } from "./local-port/exec/access.ts";
import { execStreams } from "./local-port/exec/stream.ts";
import type { LocalHandler, UpgradeHandler } from "./local-port/listen.ts";
import type { StatePort } from "./local-port/state/answers.ts";
import { Jobs } from "./local-port/state/jobs.ts";
import { homePlacesOf } from "./places.ts";

export interface LocalApiFacts {
  /** The operator token. */
  readonly token: string;
  readonly port: number;
  readonly version: string;
  /** Monotonic time of the start. */
  readonly startedAt: number;
  ready(): boolean;
  /** Reads the state file through in the index's thread and says what is wrong with it; null without that file. */
  readonly checkState: StatePort["checkState"];
  /** Begins the orderly shutdown; says what becomes of the processes under exec hosts. */
  shutDown(exec: ExecEnding): void;
}

/** The local API over the daemon's own parts. */
export function localApi(daemon: Daemon, facts: LocalApiFacts): { readonly fetch: LocalHandler; readonly upgrade: UpgradeHandler } {
  const { ctx } = daemon;
  const access: AccessParts = { credentials: ctx.credentials, port: () => facts.port, operatorToken: () => facts.token };
  const execPort = (): ExecPort => ({ exec: ctx.exec, state: ctx.state, threads: ctx.threads, logger: ctx.logger, clock: ctx.clock });
  const jobs = new Jobs();
  const statePort = (): StatePort => {
    const { state, index, outbox, logger, clock } = ctx;
    return { state, index, checkState: facts.checkState, places: homePlacesOf(ctx), paused: outbox?.closed ?? null, jobs, logger, clock };
  };
  const app = createLocalApp({
    logger: ctx.logger,
    clock: ctx.clock,
    ...access,
    execPort,
    statePort,
    activeRoots: ctx.activeRoots,
    checkouts: daemon.repoAccess,
    maxBodyBytes: ctx.limits.localBodyBytes,
    retryAfterSeconds: ctx.limits.checkoutRetryAfterSeconds,
    health: () =>
      healthOf({
        ...ctx,
        ...facts,
        deviceName: ctx.config.deviceName,
        launchedBy: ctx.config.launchedBy,
        pendingReload: () => daemon.updates.pendingReason,
        skippedAgents: () => daemon.discovery.skipped(),
        presence: () => presenceOf({ ...ctx, ...daemon.presenceFacts }),
      }),
    refreshQueue: () => daemon.presenceFacts.queue.look(),
    // A turn later, so that the caller gets its answer before the listener closes.
    requestShutdown: (exec) => void ctx.clock.setTimer(1, () => facts.shutDown(exec)),
  });
  const upgrade = execStreams({ ...access, execPort, signal: ctx.rootSignal });
  return { fetch: (request, env) => app.fetch(request, env as Record<string, unknown>), upgrade };
}

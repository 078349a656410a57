import type { Daemon } from "./assemble.ts";
import { healthOf } from "./health.ts";
import { createLocalApp } from "./local-port/app.ts";

export interface LocalApiFacts {
  /** The operator token. */
  readonly token: string;
  readonly port: number;
  readonly version: string;
  /** Monotonic time of the start. */
  readonly startedAt: number;
  ready(): boolean;
  /** Begins the orderly shutdown. */
  shutDown(): void;
}

/** The local API over the daemon's own parts. */
export function localApi(daemon: Daemon, facts: LocalApiFacts): (request: Request) => Response | Promise<Response> {
  const { ctx } = daemon;
  const app = createLocalApp({
    logger: ctx.logger,
    clock: ctx.clock,
    credentials: ctx.credentials,
    activeRoots: ctx.activeRoots,
    checkouts: daemon.repoAccess,
    port: () => facts.port,
    operatorToken: () => facts.token,
    maxBodyBytes: ctx.limits.localBodyBytes,
    retryAfterSeconds: ctx.limits.checkoutRetryAfterSeconds,
    health: () =>
      healthOf({
        ...ctx,
        ...facts,
        deviceName: ctx.config.deviceName,
        launchedBy: ctx.config.launchedBy,
        skippedAgents: () => daemon.discovery.skipped(),
      }),
    // A turn later, so that the caller gets its answer before the listener closes.
    requestShutdown: () => void ctx.clock.setTimer(1, () => facts.shutDown()),
  });
  return (request) => app.fetch(request);
}

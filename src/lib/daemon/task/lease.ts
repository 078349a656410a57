import { errorText } from "../../core/index.ts";
import { type Clock, deadline } from "../../platform/index.ts";
import type { Logger } from "../../platform/logger.ts";

const LEASE_EVERY_MS = 15_000;
const LEASE_REQUEST_MS = 10_000;

/**
 * Renews the preparation lease until `stop`, which waits for the request in flight: a renewal that arrives after
 * `start` would be refused (server-api.md 6.1). A failed one is a warning, the next comes 15 s later.
 */
export function extendLease(options: {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly extend: (signal: AbortSignal) => Promise<unknown>;
}): { stop: () => Promise<void> } {
  let inFlight: Promise<void> | null = null;
  const once = async (): Promise<void> => {
    const limit = deadline(options.clock, LEASE_REQUEST_MS);
    try {
      await options.extend(limit.signal);
    } catch (error) {
      options.logger.warn("prepare-lease extension failed", { error: errorText(error) });
    } finally {
      limit.done();
      inFlight = null;
    }
  };
  const cancel = options.clock.every(LEASE_EVERY_MS, () => {
    inFlight ??= once();
  });
  return {
    async stop() {
      cancel();
      await inFlight;
    },
  };
}

import { errorText } from "../core/index.ts";
import type { Logger } from "../platform/logger.ts";
import type { Bus, BusEvent } from "./context.ts";

/**
 * Carries what committed transactions announce to whoever listens in this process. Synchronous; a listener that throws
 * is logged and disturbs neither the others nor the request that caused the event.
 */
export function createBus(logger: Logger): Bus {
  const listeners = new Set<(event: BusEvent) => void>();
  return {
    emit: (event) => {
      for (const listener of listeners) {
        try {
          listener(event);
        } catch (error) {
          logger.error("event listener failed", { event: event.type, error: errorText(error) });
        }
      }
    },
    subscribe: (listener) => {
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
      };
    },
  };
}

import { isTerminal, systemClock, terminalRows } from "../lib/platform/index.ts";
import { watch } from "../views/watch.ts";
import { holdInterrupts } from "./interrupt.ts";

const EVERY_MS = 1000;

/**
 * Shows what `look` answers again every second until Ctrl-C. On a terminal in place; elsewhere, and as JSON (one line a
 * document), only when it has changed.
 */
export async function watchDocument<T>(options: { readonly look: () => Promise<T>; readonly text: (value: T) => string; readonly json: boolean }): Promise<void> {
  const signal = holdInterrupts();
  await watch({
    look: async () => {
      const value = await options.look();
      return options.json ? `${JSON.stringify(value)}\n` : options.text(value);
    },
    pause: () => systemClock.sleep(EVERY_MS, signal).catch(() => undefined),
    over: () => signal.aborted,
    screen: !options.json && isTerminal("stdout") ? { rows: terminalRows } : null,
  });
}

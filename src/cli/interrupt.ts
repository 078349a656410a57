import { MulticaError } from "../lib/core/index.ts";

const controller = new AbortController();
let held = false;

/**
 * The signal that Ctrl-C and SIGTERM abort. Who takes it promises to end soon after and to clean up;
 * a command that does not take it is simply ended (130 or 143).
 */
export function holdInterrupts(): AbortSignal {
  held = true;
  return controller.signal;
}

/** Called once by the entry. A second signal ends the process at once, whatever still runs. */
export function listenForInterrupts(end: (exit: number) => void): void {
  const codes = { SIGINT: 130, SIGTERM: 143 } as const;
  for (const [name, exit] of Object.entries(codes)) {
    process.on(name, () => {
      if (!held || controller.signal.aborted) end(exit);
      else controller.abort(new MulticaError("interrupted", "interrupted", { exit }));
    });
  }
}

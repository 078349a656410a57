import { isMulticaError, MulticaError } from "../lib/core/index.ts";

const controller = new AbortController();
let held = false;
let left = false;

/**
 * The signal that Ctrl-C and SIGTERM abort. Who takes it promises to end soon after and to clean up;
 * a command that does not take it is simply ended (130 or 143).
 */
export function holdInterrupts(): AbortSignal {
  held = true;
  return controller.signal;
}

/** For a process that gives every stop signal a meaning of its own (daemon, server): nothing here ends it, however often it is asked. */
export function leaveInterrupts(): void {
  left = true;
}

/** The exit status of the interruption that is being honoured (130, 143), or undefined. */
export function interruptedExit(): number | undefined {
  const reason: unknown = controller.signal.reason;
  return held && isMulticaError(reason, "interrupted") ? reason.exit : undefined;
}

// One Ctrl-C may arrive several times: from the terminal, and again from a parent that passes it on.
const ECHO_MS = 1000;

/** Called once by the entry. A second, later signal ends the process at once, whatever still runs. */
export function listenForInterrupts(end: (exit: number) => void, monotonic: () => number): void {
  const codes = { SIGINT: 130, SIGTERM: 143 } as const;
  let first: number | undefined;
  for (const [name, exit] of Object.entries(codes)) {
    process.on(name, () => {
      if (left) return;
      if (!held) return end(exit);
      if (first === undefined) {
        first = monotonic();
        controller.abort(new MulticaError("interrupted", "interrupted", { exit }));
      } else if (monotonic() - first > ECHO_MS) end(exit);
    });
  }
}

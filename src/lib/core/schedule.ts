export interface BackoffOptions {
  readonly baseMs: number;
  readonly maxMs: number;
  /** Share of the delay that varies to both sides: 0.2 is ± 20 %. */
  readonly jitter?: number;
  readonly random?: () => number;
}

/** Waits between the attempts of a terminal report (server-api.md 3.1). */
export const TERMINAL_WAITS_MS = [4000, 8000, 16_000, 32_000, 64_000] as const;

/** The delay before retry number `attempt` (0 = the first retry): doubling from `baseMs`, at most `maxMs`, with jitter. */
export function backoff(options: BackoffOptions): (attempt: number) => number {
  return (attempt) => {
    const plain = Math.min(options.maxMs, options.baseMs * 2 ** Math.min(attempt, 30));
    return jittered(plain, options.jitter ?? 0, options.random);
  };
}

/** `ms` varied by ± `share`. */
export function jittered(ms: number, share: number, random: () => number = Math.random): number {
  return Math.round(ms * (1 + share * (2 * random() - 1)));
}

import { isStatus } from "../../api/index.ts";
import { errorText, jittered } from "../../core/index.ts";
import { Mailbox } from "../mailbox.ts";
import type { DeliverParts } from "./deliver.ts";
import { isAway } from "./verdict.ts";

export type GateReason = "away" | "auth";

export interface GateParts extends DeliverParts {
  readonly random?: () => number;
  /** Ends the looking. */
  readonly signal: AbortSignal;
  /** After each look that did not find the server. */
  readonly onChange: () => void;
  readonly onOpen: () => void;
}

const FIRST_MS: Readonly<Record<GateReason, number>> = { away: 1000, auth: 5000 };
const LONGEST_MS = 60_000;
const LOOK_LIMIT_MS = 15_000;

/**
 * Closed while sending makes no sense: nobody answers, or the token is refused. Then one small question is asked now and
 * then instead of every report, and nothing counts as an attempt (state-db.md 17.1.6).
 */
export class Gate {
  readonly #parts: GateParts;
  readonly #box = new Mailbox();
  #reason: GateReason | null = null;
  #looks = 0;

  constructor(parts: GateParts) {
    this.#parts = parts;
  }

  get reason(): GateReason | null {
    return this.#reason;
  }

  get looks(): number {
    return this.#looks;
  }

  /** Closes, and opens by itself; the first look comes after `firstMs`. */
  close(reason: GateReason, firstMs = FIRST_MS[reason]): void {
    if (this.#reason !== null) return;
    this.#reason = reason;
    if (reason === "auth") this.#parts.logger.warn("the server refuses the daemon's token; reports wait until it is accepted again");
    void this.#wait(firstMs);
  }

  /** Looks now instead of later. */
  look(): void {
    if (this.#reason !== null) this.#box.post();
  }

  async #wait(firstMs: number): Promise<void> {
    const { clock, logger, random, signal } = this.#parts;
    let wait = firstMs;
    for (;;) {
      if (wait > 0) await this.#box.wait(clock, jittered(wait, 0.2, random), signal);
      if (signal.aborted) return;
      const found = await this.#ask();
      this.#looks += 1;
      if (found === "there") break;
      if (found !== this.#reason && found === "auth") logger.warn("the server refuses the daemon's token; reports wait until it is accepted again");
      this.#reason = found;
      wait = Math.min(LONGEST_MS, Math.max(wait * 2, FIRST_MS[found]));
      this.#parts.onChange();
    }
    if (this.#reason === "auth") logger.info("the daemon's token is accepted again");
    this.#reason = null;
    this.#box.take();
    this.#parts.onOpen();
  }

  /** Everything but silence and a refused token shows a server; one that is only slow is left to the schedule of each report. */
  async #ask(): Promise<"there" | GateReason> {
    const { api, logger, signal } = this.#parts;
    try {
      await api.me({ timeoutMs: LOOK_LIMIT_MS, signal });
      return "there";
    } catch (error) {
      logger.debug("looked for the server", { error: errorText(error) });
      if (isStatus(error, 401)) return "auth";
      return isAway(error) ? "away" : "there";
    }
  }
}

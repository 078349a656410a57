import { errorText } from "../core/index.ts";
import type { Logger } from "../platform/logger.ts";

/** What has to be undone, last in first out, each step whatever the others did. */
export class CleanUp {
  readonly #steps: { readonly what: string; readonly undo: () => unknown }[] = [];

  add(what: string, undo: () => unknown): void {
    this.#steps.push({ what, undo });
  }

  /** Undoes everything added so far. Never throws. */
  async run(logger: Pick<Logger, "warn"> | null): Promise<void> {
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) {
      try {
        await step.undo();
      } catch (error) {
        logger?.warn(`clean-up failed: ${step.what}`, { error: errorText(error) });
      }
    }
  }
}

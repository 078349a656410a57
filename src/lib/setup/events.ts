import type { StoredMessage } from "../wire/index.ts";

/** What set-up tells a view while it works; the library itself prints nothing. */
export type SetupEvent =
  | { readonly type: "stage"; readonly name: string; readonly state: "started" }
  | { readonly type: "stage"; readonly name: string; readonly state: "done"; readonly ms: number; readonly detail?: string }
  | { readonly type: "stage"; readonly name: string; readonly state: "failed"; readonly ms: number; readonly error: string }
  | { readonly type: "message"; readonly message: StoredMessage }
  | { readonly type: "note"; readonly text: string };

export interface StageTime {
  readonly name: string;
  readonly ms: number;
}

/** Runs named stages one after another, times them and tells about them. */
export class Stages {
  readonly times: StageTime[] = [];
  readonly #emit: (event: SetupEvent) => void;
  readonly #monotonic: () => number;
  /** Name of the stage that failed, if one did. */
  failed: string | undefined;

  constructor(emit: (event: SetupEvent) => void, monotonic: () => number) {
    this.#emit = emit;
    this.#monotonic = monotonic;
  }

  /** The result of `work`; `detail` makes the words shown beside the finished stage. */
  async run<T>(name: string, work: () => Promise<T>, detail?: (result: T) => string): Promise<T> {
    const start = this.#monotonic();
    const ms = (): number => Math.round(this.#monotonic() - start);
    this.#emit({ type: "stage", name, state: "started" });
    try {
      const result = await work();
      this.times.push({ name, ms: ms() });
      this.#emit({ type: "stage", name, state: "done", ms: ms(), ...(detail === undefined ? {} : { detail: detail(result) }) });
      return result;
    } catch (error) {
      this.failed ??= name;
      this.#emit({ type: "stage", name, state: "failed", ms: ms(), error: error instanceof Error ? error.message : String(error) });
      throw error;
    }
  }
}

import { MulticaError, errorText, isMulticaError, shortId, uuid } from "../../../core/index.ts";
import type { StateJob } from "../../../wire/index.ts";

const KEPT = 20;

/** Work that is longer than a request: begun by one call, asked for by others. The last few are remembered. */
export class Jobs {
  readonly #jobs = new Map<string, StateJob>();

  /** Begins `work`; the answer is its id. */
  begin(work: () => Promise<unknown>): string {
    const id = shortId(uuid());
    this.#set({ id, status: "running" });
    work().then(
      (result) => this.#set({ id, status: "done", result }),
      (error: unknown) => this.#set({ id, status: "failed", error: { code: isMulticaError(error) ? error.code : "internal", message: errorText(error) } }),
    );
    return id;
  }

  /** Throws `job_not_found`. */
  get(id: string): StateJob {
    const job = this.#jobs.get(id);
    if (job === undefined) throw new MulticaError("job_not_found", `there is no job ${id}`);
    return job;
  }

  #set(job: StateJob): void {
    this.#jobs.set(job.id, job);
    const ended = [...this.#jobs.values()].filter((one) => one.status !== "running");
    for (const old of ended.slice(0, Math.max(0, ended.length - KEPT))) this.#jobs.delete(old.id);
  }
}

import type { Clock } from "../../platform/index.ts";
import type { CloneProgress } from "../../repos/index.ts";

/** Sent by callers that can read a stream of lines; older ones do not, and get one plain answer at the end. */
export const PROGRESS_HEADER = "x-multica-progress";

const LEAST_MS = 500;
const LEAST_PERCENT = 5;

/**
 * Answers with what `work` resolves to; when `work` reports progress before that, with a stream of JSON lines instead:
 * `{"progress":{stage,percent}}` as often as makes sense, and as the last one `{"answer":{status,headers,text}}`,
 * which is what would have been answered without a stream (repocache.md 13, 14).
 */
export async function withProgress(clock: Clock, work: (onProgress: (progress: CloneProgress) => void) => Promise<Response>, onGone: () => void): Promise<Response> {
  const lines = new Lines(clock);
  const done = work((progress) => lines.progress(progress));
  const first = await Promise.race([done.then(() => "done" as const), lines.begun]);
  if (first === "done") return done;
  void done.then(
    (response) => lines.end(response),
    () => lines.end(new Response("internal error\n", { status: 500 })),
  );
  return new Response(lines.stream(onGone), { headers: { "Content-Type": "application/x-ndjson" } });
}

class Lines {
  readonly begun: Promise<"progress">;
  readonly #clock: Clock;
  readonly #encoder = new TextEncoder();
  #begin: () => void = () => undefined;
  #last: (CloneProgress & { readonly at: number }) | undefined;
  #waiting: string[] = [];
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.begun = new Promise((resolve) => {
      this.#begin = () => resolve("progress");
    });
  }

  /** Every new stage, and within one what is worth a line. */
  progress({ stage, percent }: CloneProgress): void {
    const at = this.#clock.monotonic();
    const last = this.#last;
    const isNews = last === undefined || last.stage !== stage || (percent - last.percent >= LEAST_PERCENT && at - last.at >= LEAST_MS);
    if (!isNews) return;
    this.#last = { stage, percent, at };
    this.#send({ progress: { stage, percent } });
    this.#begin();
  }

  async end(response: Response): Promise<void> {
    const headers = Object.fromEntries(response.headers);
    this.#send({ answer: { status: response.status, headers, text: await response.text() } });
    try {
      this.#controller?.close();
    } catch {
      // The caller has gone.
    }
  }

  stream(onGone: () => void): ReadableStream<Uint8Array> {
    return new ReadableStream({
      start: (controller) => {
        this.#controller = controller;
        for (const line of this.#waiting) controller.enqueue(this.#encoder.encode(line));
        this.#waiting = [];
      },
      cancel: () => {
        this.#controller = undefined;
        onGone();
      },
    });
  }

  #send(value: unknown): void {
    const line = `${JSON.stringify(value)}\n`;
    if (this.#controller === undefined) this.#waiting.push(line);
    else {
      try {
        this.#controller.enqueue(this.#encoder.encode(line));
      } catch {
        // The caller has gone.
      }
    }
  }
}

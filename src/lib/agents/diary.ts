import { isObject, parseJson } from "../core/index.ts";
import type { AbortReason, AgentEvent } from "./reducer.ts";
import type { TransportLog } from "./transport/transport.ts";

/** What an adapter is told that no line of the agent says. */
export type DiaryEvent = Extract<AgentEvent, { type: "timer" | "abort" | "expire" | "inputFailed" }>;

interface Entry {
  /** Lines that the adapter had been told before. */
  readonly at: number;
  readonly event: DiaryEvent;
}

/**
 * Notes in the log of a process what else its adapter was told and after which line, so that a later owner can repeat
 * exactly what happened. Without a log there is nobody to tell.
 */
export class Diary {
  readonly #log: TransportLog | undefined;
  #past: Entry[];
  #lines = 0;
  #repeating: boolean;
  /** Why the run was to end, as last written or repeated. */
  reason: AbortReason | null = null;
  /** Asked for while the past is being repeated. */
  wish: AbortReason | null = null;

  constructor(log: TransportLog | undefined) {
    this.#log = log;
    this.#repeating = (log?.live ?? null) !== null;
    this.#past = (log?.notes ?? []).flatMap(entryOf);
  }

  /** True while the lines are those that an earlier owner had been told. */
  get repeating(): boolean {
    return this.#repeating;
  }

  write(event: DiaryEvent): void {
    if (event.type === "abort") this.reason = event.reason;
    // The past is never noted twice.
    if (!this.#repeating) this.#log?.note(JSON.stringify({ at: this.#lines, event }));
  }

  /** Counts a line in; answers what happened before it. */
  next(): readonly DiaryEvent[] {
    const events = this.#take((entry) => entry.at <= this.#lines);
    this.#lines += 1;
    return events;
  }

  /** The past is over; answers what happened behind its last line. */
  end(): readonly DiaryEvent[] {
    const events = this.#take(() => true);
    this.#repeating = false;
    return events;
  }

  #take(which: (entry: Entry) => boolean): DiaryEvent[] {
    const count = this.#past.findIndex((entry) => !which(entry));
    const taken = this.#past.splice(0, count === -1 ? this.#past.length : count).map((entry) => entry.event);
    for (const event of taken) if (event.type === "abort") this.reason = event.reason;
    return taken;
  }
}

function entryOf(text: string): Entry[] {
  const value = parseJson(text);
  return isObject(value) && typeof value["at"] === "number" && isObject(value["event"]) ? [value as unknown as Entry] : [];
}

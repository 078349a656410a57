import type { Clock } from "../platform/index.ts";

/** A frame that was accepted for sending. */
export interface PostedFrame {
  /** Takes the frame back; false once it was handed to the socket: then nobody can tell whether it arrives. */
  withdraw(): boolean;
}

export interface FrameQueueParts {
  readonly clock: Clock;
  /** Frames that may wait besides the one being written. */
  readonly capacity: number;
  /** Longest time one frame may take to leave, in milliseconds. */
  readonly writeMs: number;
  /** Hands one frame to the socket and calls back when it has left, with the error if it has not. */
  write(data: string, done: (error?: Error | null) => void): void;
  /** A frame did not leave: the connection is of no use any more. */
  onStuck(): void;
}

type State = "queued" | "written" | "withdrawn";

/**
 * The frames of one connection on their way out, one at a time (daemon.md 9.2, 9.4). A frame is written at the moment it
 * is handed to the socket; until then it can be taken back.
 */
export class FrameQueue {
  readonly #parts: FrameQueueParts;
  readonly #waiting: { readonly data: string; state: State }[] = [];
  #writing = false;
  #closed = false;

  constructor(parts: FrameQueueParts) {
    this.#parts = parts;
  }

  /** Null when the queue is full or closed. */
  post(data: string): PostedFrame | null {
    if (this.#closed || this.#waiting.length >= this.#parts.capacity) return null;
    const frame: { readonly data: string; state: State } = { data, state: "queued" };
    this.#waiting.push(frame);
    this.#pump();
    return {
      withdraw: () => {
        if (frame.state === "written") return false;
        frame.state = "withdrawn";
        const at = this.#waiting.indexOf(frame);
        if (at !== -1) this.#waiting.splice(at, 1);
        return true;
      },
    };
  }

  /** Nothing is sent any more; what waits was never written. */
  close(): void {
    this.#closed = true;
    this.#waiting.length = 0;
  }

  #pump(): void {
    if (this.#writing || this.#closed) return;
    const frame = this.#waiting.shift();
    if (frame === undefined) return;
    this.#writing = true;
    frame.state = "written";
    const cancel = this.#parts.clock.setTimer(this.#parts.writeMs, () => this.#stuck());
    this.#parts.write(frame.data, (error) => {
      cancel();
      this.#writing = false;
      if (error) this.#stuck();
      else this.#pump();
    });
  }

  #stuck(): void {
    if (this.#closed) return;
    this.close();
    this.#parts.onStuck();
  }
}

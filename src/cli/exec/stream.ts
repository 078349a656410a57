import type { ExecPortClient, ProcessName } from "../../lib/api/exec-port.ts";
import type { ExecFrame } from "../../lib/wire/index.ts";

export interface FollowOptions {
  readonly port: ExecPortClient;
  readonly name: ProcessName;
  readonly afterSeq: number;
  /** False: what is there now, then the end. */
  readonly live: boolean;
  readonly signal?: AbortSignal;
}

/** The records of a process in order through the daemon. Each is acknowledged when the caller asks for the next one. */
export async function* followProcess(options: FollowOptions): AsyncGenerator<ExecFrame> {
  const { openExecStream } = await import("../../lib/api/exec-stream.ts");
  const { port, name, afterSeq, live, signal } = options;
  const stream = await openExecStream({ port: port.port, token: port.token, name, afterSeq, live, ...(signal === undefined ? {} : { signal }) });
  try {
    for await (const frame of stream.frames) {
      if (frame.kind === "error") continue;
      yield frame;
      stream.ack(frame.seq);
    }
  } finally {
    stream.close();
  }
}

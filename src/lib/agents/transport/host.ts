import { MulticaError } from "../../core/index.ts";
import type { AgentHost, LogEvent } from "../../exec/index.ts";
import { type Clock, terminateTree } from "../../platform/index.ts";
import { HostInput } from "./host-input.ts";
import { type Recording, liveLog, readRecording, recordedEvents } from "./host-log.ts";
import { PipeLines } from "./split.ts";
import type { AgentTransport, TransportLine, TreeEnd } from "./transport.ts";

export interface HostTransportOptions {
  readonly host: AgentHost;
  /** Longest line of stdout, in bytes; a longer one ends the stream with `line_too_long`. */
  readonly lineMax: number;
  /** Variable and value that every process of the run bears, for the sweep behind the host's own. */
  readonly marker?: { readonly name: string; readonly value: string } | undefined;
  readonly spare?: (() => { readonly name: string; readonly values: ReadonlySet<string> }) | undefined;
  readonly clock: Clock;
  /** The process of an earlier owner: everything it said is delivered again, what it was told is not told again. */
  readonly takeOver: boolean;
}

/**
 * The agent under an exec host (decision 12): it outlives this process, and a later one goes on where this one stopped.
 * Throws `log_incomplete` when a taken over process's log has a gap: then it cannot be understood any more.
 */
export function hostTransport(options: HostTransportOptions): AgentTransport {
  const { host, clock } = options;
  const recording = options.takeOver ? readRecording(host) : null;
  const exited = Promise.withResolvers<{ code: number | null; signal: string | null }>();
  const live = Promise.withResolvers<void>();
  const closing = new AbortController();
  const input = new HostInput({ host, clock, recorded: recording?.input ?? null });
  void host.ended.then(exited.resolve);
  return {
    pid: host.pid,
    write: (line) => input.write(line),
    endInput: () => input.end(),
    inputFailed: input.failed,
    lines: lines({ ...options, recording, input, signal: closing.signal, onExit: exited.resolve, goLive: () => (live.resolve(), live.promise) }),
    exited: exited.promise,
    closePipes: () => closing.abort(),
    log: {
      id: host.xid,
      notes: recording?.notes ?? [],
      live: recording === null ? null : live.promise,
      note: (text) => host.note(text),
      acknowledge: (position) => host.acknowledge(position),
    },
    async terminate(graceMs: number): Promise<TreeEnd> {
      await host.terminate(graceMs);
      const { marker } = options;
      if (marker === undefined) return { gone: host.over, survivors: [] };
      const { gone, survivors } = await terminateTree({ marker, graceMs, clock, ...(options.spare === undefined ? {} : { spare: options.spare() }) });
      return { gone: gone && host.over, survivors };
    },
  };
}

interface LineParts extends HostTransportOptions {
  readonly recording: Recording | null;
  readonly input: HostInput;
  readonly signal: AbortSignal;
  readonly onExit: (exit: { code: number | null; signal: string | null }) => void;
  /** All that was there at the take-over has been taken. Resolves when the adapter has been told what happened behind the last line. */
  readonly goLive: () => Promise<void>;
}

/** The lines of both pipes in the order of the log: first what was recorded, then as it comes. */
async function* lines(parts: LineParts): AsyncGenerator<TransportLine> {
  const { host, recording, signal } = parts;
  const split = new PipeLines(parts.lineMax);
  if (recording !== null) {
    for (const event of recordedEvents(host, recording)) {
      yield* linesOf(split, event, parts);
      if (signal.aborted) return;
      checkFit(parts.input);
    }
    // Whoever asks for the next line has dealt with the last one. What was told behind it (an interrupt, say) is repeated first.
    await parts.goLive();
    parts.input.live();
    checkFit(parts.input);
  }
  for await (const event of liveLog(host, recording?.lastSeq ?? 0, signal)) {
    yield* linesOf(split, event, parts);
    if (signal.aborted) return;
  }
  if (!signal.aborted) for (const line of [...split.errEnd().map(err), ...split.outEnd().map(out)]) yield line;
}

/** An adapter that would have told the agent something else (another version of it, say) cannot understand its answers. */
function checkFit({ misfit }: HostInput): void {
  if (misfit !== null) throw new MulticaError("log_misfit", `the agent cannot be gone on with: ${misfit}`);
}

function* linesOf(split: PipeLines, event: LogEvent, parts: LineParts): Generator<TransportLine> {
  const position = event.seq;
  for (const line of onEvent(split, event, parts)) yield { ...line, position };
}

function onEvent(split: PipeLines, event: LogEvent, parts: LineParts): TransportLine[] {
  switch (event.kind) {
    case "stdout":
      return split.out(event.data ?? Buffer.alloc(0)).map(out);
    case "stderr":
      return split.err(event.data ?? Buffer.alloc(0)).map(err);
    case "exited":
      parts.onExit(event.exit ?? { code: null, signal: null });
      return [];
    case "gap":
      throw new MulticaError("stdout_read_failed", "the agent's log has a gap");
    default:
      return [];
  }
}

function out(line: string): TransportLine {
  return { stream: "out", line };
}

function err(line: string): TransportLine {
  return { stream: "err", line };
}

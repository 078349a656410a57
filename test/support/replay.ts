import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { AgentEvent, AgentMessage, Effect, ReducerRun, Terminal } from "../../src/lib/agents/index.ts";

export interface RecordedLine {
  readonly t: number;
  readonly dir: "in" | "out" | "err";
  readonly line: string;
}

/** Facts about a recording: the session it made or resumed, how the process ended, what the model answered. */
export interface RecordedCase {
  readonly session?: string;
  readonly resumed?: string;
  readonly exit_code?: number;
  readonly exit_signal?: string;
  readonly turn_status?: string;
  readonly resume_error?: string;
  readonly model_answers: readonly string[];
}

const ROOT = join(import.meta.dirname, "..", "fixtures", "agents");

export function recordedCases(agent: string, version: string): Record<string, RecordedCase> {
  return JSON.parse(readFileSync(join(ROOT, agent, version, "cases.json"), "utf8")) as Record<string, RecordedCase>;
}

export function recordedLines(agent: string, version: string, name: string): RecordedLine[] {
  const text = readFileSync(join(ROOT, agent, version, `${name}.jsonl`), "utf8");
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as RecordedLine);
}

interface Frame {
  id?: number | string;
  method?: string;
  params?: Record<string, unknown>;
  result?: unknown;
  error?: unknown;
}

/** An adapter in a test's hands: feed it events, look at what it asked for. */
export class ReducerProbe {
  readonly effects: Effect[] = [];
  readonly written: Frame[] = [];
  readonly timers = new Map<string, number>();
  terminal: Terminal | null = null;
  readonly #run: ReducerRun;

  constructor(run: ReducerRun) {
    this.#run = run;
    this.#take(run.initial);
  }

  feed(event: AgentEvent): void {
    if (this.terminal === null) this.#take(this.#run.step(event));
  }

  out(line: string | object): void {
    this.feed({ type: "line", stream: "out", line: typeof line === "string" ? line : JSON.stringify(line) });
  }

  fire(id: string): void {
    if (!this.timers.delete(id)) throw new Error(`timer ${id} is not set`);
    this.feed({ type: "timer", id });
  }

  /** Messages of the transcript (no diagnostics). */
  get messages(): AgentMessage[] {
    return this.effects.flatMap((effect) => (effect.type === "message" && effect.message.kind !== "log" ? [effect.message] : []));
  }

  #take(effects: readonly Effect[]): void {
    for (const effect of effects) {
      this.effects.push(effect);
      if (effect.type === "write") this.written.push(JSON.parse(effect.line) as Frame);
      if (effect.type === "setTimer") this.timers.set(effect.id, effect.ms);
      if (effect.type === "clearTimer") this.timers.delete(effect.id);
      if (effect.type === "finish") this.terminal = effect.terminal;
    }
  }
}

/**
 * Plays a JSON-RPC recording against an adapter. Each recorded request of the client must have been written by the
 * adapter too (same method, in the same order); its answer is given under the adapter's own id. A recorded cancel
 * becomes the run's abort. Returns the pairs of requests, recorded and written, for closer looks.
 */
export function replayRpc(
  probe: ReducerProbe,
  lines: readonly RecordedLine[],
  options: { cancelMethod: string; exit: { code: number | null; signal: string | null } },
): { recorded: Frame; written: Frame }[] {
  const ids = new Map<number | string, number | string>();
  const pairs: { recorded: Frame; written: Frame }[] = [];
  let next = 0;
  for (const { dir, line } of lines) {
    if (dir === "err") probe.feed({ type: "line", stream: "err", line });
    if (dir === "out") probe.out(renumber(line, ids));
    if (dir !== "in") continue;
    const recorded = JSON.parse(line) as Frame;
    if (recorded.method === options.cancelMethod) probe.feed({ type: "abort", reason: { kind: "cancel" } });
    const written = probe.written[next];
    if (written === undefined) throw new Error(`the adapter did not write ${recorded.method ?? "an answer"}`);
    if (written.method !== recorded.method) throw new Error(`expected ${recorded.method ?? "an answer"}, got ${written.method ?? "an answer"}`);
    next += 1;
    if (recorded.method !== undefined && recorded.id !== undefined && written.id !== undefined) ids.set(recorded.id, written.id);
    pairs.push({ recorded, written });
  }
  probe.feed({ type: "exit", exit: options.exit });
  return pairs;
}

function renumber(line: string, ids: ReadonlyMap<number | string, number | string>): string {
  const frame = JSON.parse(line) as Frame;
  if (frame.method !== undefined || frame.id === undefined) return line;
  const id = ids.get(frame.id);
  return id === undefined || id === frame.id ? line : JSON.stringify({ ...frame, id });
}

import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { AgentMessage, RunOptions } from "../../src/lib/agents/contract.ts";
import { acpReducer } from "../../src/lib/agents/families/acp/reducer.ts";
import { type AgentEvent, type Effect, type Terminal, startReducer } from "../../src/lib/agents/reducer.ts";

const ROOT = new URL("../fixtures/agents", import.meta.url).pathname;

export interface Replay {
  readonly messages: AgentMessage[];
  readonly terminal: Terminal | null;
  /** What the adapter wrote, parsed. */
  readonly written: Record<string, unknown>[];
  /** What the recording's own client wrote, parsed. */
  readonly recorded: Record<string, unknown>[];
  readonly meta: Record<string, unknown>;
}

interface Entry {
  readonly dir: "in" | "out" | "err";
  readonly line: string;
}

/** One adapter in a test's hands: events in, messages, writes and the outcome collected. */
export class Driver {
  readonly messages: AgentMessage[] = [];
  readonly written: Record<string, unknown>[] = [];
  readonly logs: string[] = [];
  readonly timers = new Map<string, number>();
  terminal: Terminal | null = null;
  readonly #run;

  constructor(options: Partial<RunOptions> = {}) {
    this.#run = startReducer(acpReducer)({ cwd: "/tmp/demo/workdir", prompt: "p", ...options });
    this.#apply(this.#run.initial);
  }

  feed(event: AgentEvent): void {
    if (this.terminal === null) this.#apply(this.#run.step(event));
  }

  out(value: unknown): void {
    this.feed({ type: "line", stream: "out", line: typeof value === "string" ? value : JSON.stringify(value) });
  }

  err(line: string): void {
    this.feed({ type: "line", stream: "err", line });
  }

  /** Answers the oldest request of this method. */
  answer(method: string, result: unknown): void {
    this.out({ jsonrpc: "2.0", id: this.idOf(method), result });
  }

  refuse(method: string, code: number, message: string, data?: unknown): void {
    this.out({ jsonrpc: "2.0", id: this.idOf(method), error: { code, message, data } });
  }

  update(update: Record<string, unknown>, sessionId = "s1"): void {
    this.out({ jsonrpc: "2.0", method: "session/update", params: { sessionId, update } });
  }

  /** Up to the prompt, with a session `s1`. */
  ready(session: Record<string, unknown> = {}): this {
    this.answer("initialize", { protocolVersion: 1, agentCapabilities: {} });
    this.answer("session/new", { sessionId: "s1", ...session });
    return this;
  }

  /** The prompt's answer and the silence after it. */
  end(result: Record<string, unknown> = { stopReason: "end_turn" }): Terminal {
    this.answer("session/prompt", result);
    this.feed({ type: "timer", id: "quiet" });
    if (this.terminal === null) throw new Error("the run did not end");
    return this.terminal;
  }

  get methods(): string[] {
    return this.written.flatMap((message) => (typeof message.method === "string" ? [message.method] : []));
  }

  sent(method: string): Record<string, unknown> {
    const found = this.written.find((message) => message.method === method);
    if (found === undefined) throw new Error(`no ${method} was sent; sent: ${this.methods.join(", ")}`);
    return found.params as Record<string, unknown>;
  }

  idOf(method: string): unknown {
    return this.written.find((message) => message.method === method)?.id;
  }

  #apply(effects: readonly Effect[]): void {
    for (const effect of effects) {
      if (effect.type === "message") this.messages.push(effect.message);
      else if (effect.type === "write") this.written.push(JSON.parse(effect.line) as Record<string, unknown>);
      else if (effect.type === "finish") this.terminal = effect.terminal;
      else if (effect.type === "setTimer") this.timers.set(effect.id, effect.ms);
      else if (effect.type === "clearTimer") this.timers.delete(effect.id);
      else if (effect.type === "log") this.logs.push(effect.text);
    }
  }
}

/** Plays a recording to the adapter, with the recording's request ids translated to ours. */
export function replay(path: string, change: Partial<RunOptions> = {}): Replay {
  const entries = readFileSync(join(ROOT, `${path}.jsonl`), "utf8").trimEnd().split("\n").map((line) => JSON.parse(line) as Entry);
  const meta = JSON.parse(readFileSync(join(ROOT, `${path}.meta.json`), "utf8")) as Record<string, unknown>;
  const resumed = typeof meta.resumed === "string" ? { resumeSessionId: meta.resumed } : {};
  const driver = new Driver({ prompt: "Do the scripted task.", ...resumed, ...change });
  const methods = new Map<unknown, string>();
  const recorded: Record<string, unknown>[] = [];
  for (const entry of entries) {
    if (entry.dir === "err") driver.err(entry.line);
    else if (entry.dir === "in") {
      const message = JSON.parse(entry.line) as Record<string, unknown>;
      recorded.push(message);
      if (typeof message.method === "string" && message.id !== undefined) methods.set(message.id, message.method);
      if (message.method === "session/cancel") driver.feed({ type: "abort", reason: { kind: "cancel" } });
    } else driver.out(translated(entry.line, methods, driver));
  }
  // The silence after the prompt's answer, then the process's end as it was recorded.
  if (driver.timers.has("quiet")) driver.feed({ type: "timer", id: "quiet" });
  const exit = { code: (meta.exit_code as number | null) ?? null, signal: (meta.exit_signal as string | null) ?? null };
  driver.feed({ type: "exit", exit });
  return { messages: driver.messages, terminal: driver.terminal, written: driver.written, recorded, meta };
}

function translated(line: string, methods: ReadonlyMap<unknown, string>, driver: Driver): string {
  let frame: Record<string, unknown>;
  try {
    frame = JSON.parse(line) as Record<string, unknown>;
  } catch {
    return line;
  }
  const method = frame.method === undefined ? methods.get(frame.id) : undefined;
  return method === undefined ? line : JSON.stringify({ ...frame, id: driver.idOf(method) });
}

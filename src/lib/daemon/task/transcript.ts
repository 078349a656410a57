import { type JsonValue, isObject, redactText, redactValue } from "../../core/index.ts";
import type { AgentMessage } from "../../agents/index.ts";
import type { TaskMessage } from "../../wire/index.ts";
import { cutBytes, splitBytes } from "./cut.ts";

const OUTPUT_BYTES = 8192;
/** Tool outputs are cut to this before redaction, which reads every byte several times; what is sent is far less. */
const REDACT_BYTES = 256 * 1024;
const ENTRY_BYTES = 128 * 1024;
const HELD_BYTES = 16 * 1024;
/** Timed flushes without news after which a held line goes out unfinished. */
const QUIET_FLUSHES = 4;
const MIN_SECRET = 8;

interface Pending {
  readonly type: "text" | "thinking";
  content: string;
  quiet: number;
}

/** How far the entries that were taken go. */
export interface TranscriptMark {
  /** Messages of the agent's process that went into them. */
  readonly message: number;
  /** Characters at the end of the last one's text that did not yet. */
  readonly held: number;
}

/**
 * Turns an agent's messages into numbered, redacted entries (daemon.md 11.11). Text arrives in pieces and is joined;
 * before any other entry gets its number the pending text gets one. One transcript lasts for a task, so that
 * the numbers go on when the run is repeated with a fresh session.
 */
export class Transcript {
  #next: number;
  readonly #needles: readonly string[];
  readonly #tools = new Map<string, string>();
  #pending: Pending | null = null;
  #entries: TaskMessage[] = [];
  #toolCount: number;
  #inFlight = 0;
  #message = 0;
  /** Set while messages come again that an earlier daemon has handed over. */
  #again: TranscriptMark | null;

  /**
   * `secrets`: values that must never be sent, whatever they look like; `firstSeq` is the first number given. `again`: the
   * agent's messages come from their first one on, and those up to the mark are in safe hands under their numbers.
   */
  constructor(options: { readonly secrets: readonly string[]; readonly firstSeq?: number; readonly toolCount?: number; readonly again?: TranscriptMark }) {
    this.#needles = [...new Set(options.secrets)].filter((secret) => secret.length >= MIN_SECRET).sort((a, b) => b.length - a.length);
    this.#next = options.firstSeq ?? 1;
    this.#toolCount = options.toolCount ?? 0;
    this.#again = options.again === undefined || options.again.message === 0 ? null : options.again;
  }

  /** What is in the entries that were taken so far: with it a later transcript goes on exactly there. */
  get mark(): TranscriptMark {
    return { message: this.#message, held: this.#pending?.content.length ?? 0 };
  }

  /** Tools used so far in the whole task. */
  get toolCount(): number {
    return this.#toolCount;
  }

  /** Tools that were used and have not answered. */
  get toolsInFlight(): number {
    return this.#inFlight;
  }

  /** The number of the next entry. */
  get nextSeq(): number {
    return this.#next;
  }

  /** A new agent process starts: what the last one left open will not be answered any more. */
  startRun(): void {
    this.#message = 0;
    this.#inFlight = 0;
    this.#tools.clear();
  }

  /** `ordinal`: its number among those of its process. */
  add(message: AgentMessage, ordinal = this.#message + 1): void {
    this.#message = ordinal;
    this.#add(message);
    if (this.#again !== null && ordinal >= this.#again.message) this.#goOn(this.#again);
  }

  /** The mark is reached: what was handed over is forgotten, only the text that was held back then is still to come. */
  #goOn(mark: TranscriptMark): void {
    const pending = this.#pending;
    const content = pending === null || mark.held === 0 ? "" : pending.content.slice(-mark.held);
    this.#pending = pending === null || content === "" ? null : { ...pending, content };
    this.#entries = [];
    this.#again = null;
  }

  #add(message: AgentMessage): void {
    switch (message.kind) {
      case "text":
      case "thinking":
        this.#append(message.kind, message.content);
        return;
      case "tool_use":
        this.#toolCount += 1;
        this.#inFlight += 1;
        if (message.callId !== "") this.#tools.set(message.callId, message.tool);
        this.#push({
          type: "tool_use",
          tool: message.tool,
          ...(message.input === undefined ? {} : { input: this.#scrubValue(message.input as JsonValue) }),
        });
        return;
      case "tool_result": {
        this.#inFlight = Math.max(0, this.#inFlight - 1);
        const tool = message.tool === "" ? (this.#tools.get(message.callId) ?? "") : message.tool;
        // Redacted before it is cut: a secret at the cut must not survive by half.
        const output = cutBytes(this.#scrub(cutBytes(message.output, REDACT_BYTES)), OUTPUT_BYTES);
        this.#push({ type: "tool_result", tool, output });
        return;
      }
      case "error":
        this.#push({ type: "error", content: this.#scrub(message.content) });
        return;
      case "status":
      case "log":
        return;
    }
  }

  /** A word of ours in the run's messages: what the agent did not say and its readers must know. */
  notice(content: string): void {
    this.#push({ type: "text", content: this.#scrub(content) });
  }

  /** What has become whole since the last call. An unfinished line is kept back: the second half of a secret may follow. */
  take(): TaskMessage[] {
    if (this.#again !== null) return [];
    const pending = this.#pending;
    if (pending !== null) {
      pending.quiet += 1;
      const held = pending.quiet > QUIET_FLUSHES ? 0 : heldTail(pending.content);
      const ready = pending.content.slice(0, pending.content.length - held);
      const rest = pending.content.slice(pending.content.length - held);
      this.#emit(pending.type, ready);
      this.#pending = rest === "" ? null : { type: pending.type, content: rest, quiet: pending.quiet };
    }
    return this.#drain();
  }

  /** Everything that is left, unfinished lines included. */
  takeAll(): TaskMessage[] {
    if (this.#again !== null) this.#goOn({ message: this.#message, held: 0 });
    this.#close();
    return this.#drain();
  }

  #append(type: "text" | "thinking", content: string): void {
    if (content === "") return;
    if (this.#pending !== null && this.#pending.type !== type) this.#close();
    this.#pending ??= { type, content: "", quiet: 0 };
    this.#pending.content += content;
    this.#pending.quiet = 0;
  }

  #close(): void {
    const pending = this.#pending;
    this.#pending = null;
    if (pending !== null) this.#emit(pending.type, pending.content);
  }

  #emit(type: "text" | "thinking", raw: string): void {
    if (raw === "") return;
    for (const content of splitBytes(this.#scrub(raw), ENTRY_BYTES)) this.#number({ type, content });
  }

  #push(entry: Omit<TaskMessage, "seq"> & { type: string }): void {
    this.#close();
    this.#number(entry);
  }

  #number(entry: Omit<TaskMessage, "seq"> & { type: string }): void {
    // It has its number, and is where it belongs.
    if (this.#again !== null) return;
    this.#entries.push({ seq: this.#next, ...entry });
    this.#next += 1;
  }

  #drain(): TaskMessage[] {
    const entries = this.#entries;
    this.#entries = [];
    return entries;
  }

  #scrub(text: string): string {
    let result = text;
    for (const needle of this.#needles) result = result.replaceAll(needle, "[REDACTED]");
    return redactText(result);
  }

  #scrubValue(value: JsonValue): JsonValue {
    return redactValue(this.#needles.length === 0 ? value : replaceDeep(value, (text) => this.#scrub(text), 0));
  }
}

function replaceDeep(value: JsonValue, replace: (text: string) => string, depth: number): JsonValue {
  if (typeof value === "string") return replace(value);
  if (depth > 32) return value;
  if (Array.isArray(value)) return value.map((item) => replaceDeep(item, replace, depth + 1));
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, replaceDeep(item, replace, depth + 1)]));
}

/** How many characters at the end must wait: the unfinished line, or a key block that has begun and not ended. */
function heldTail(content: string): number {
  const block = content.lastIndexOf("-----BEGIN ");
  const open = block !== -1 && !content.includes("-----END ", block);
  const from = open ? block : content.lastIndexOf("\n") + 1;
  return Math.min(content.length - from, HELD_BYTES);
}

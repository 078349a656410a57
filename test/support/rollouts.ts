import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { zstdCompressSync } from "node:zlib";

/** One thread as Codex would have recorded it. */
export interface Thread {
  readonly id: string;
  /** Epoch milliseconds of its start. */
  readonly at: number;
  readonly text?: string;
  readonly cwd?: string;
  readonly source?: unknown;
  readonly provider?: string;
  readonly tokens?: number;
  readonly git?: Record<string, string>;
  /** `legacy`: the events of 0.142 and earlier; `paginated`: those of 0.169. */
  readonly history?: "legacy" | "paginated";
  /** Further turns after the first. */
  readonly turns?: number;
}

/** A UUIDv7 for a moment; `n` makes it unique and keeps runs alike. */
export function threadId(at: number, n: number): string {
  const time = Math.floor(at).toString(16).padStart(12, "0");
  const tail = n.toString(16).padStart(12, "0");
  return `${time.slice(0, 8)}-${time.slice(8)}-7${tail.slice(0, 3).replace(/^.../, "abc")}-8${tail.slice(0, 3)}-${tail}`;
}

/** `2026-01-27T11-22-33`: what stands in file names. */
export function fileTime(at: number): string {
  return new Date(at).toISOString().slice(0, 19).replaceAll(":", "-");
}

export function rolloutName(thread: Pick<Thread, "id" | "at">): string {
  return `rollout-${fileTime(thread.at)}-${thread.id}.jsonl`;
}

/** Where Codex keeps the thread's rollout below `sessions`. */
export function dayPath(thread: Pick<Thread, "id" | "at">): string {
  return join(...new Date(thread.at).toISOString().slice(0, 10).split("-"), rolloutName(thread));
}

function line(at: number, ordinal: number, type: string, payload: unknown): string {
  return `${JSON.stringify({ timestamp: new Date(at).toISOString(), ordinal, type, payload })}\n`;
}

export function metaLine(thread: Thread): string {
  return line(thread.at, 0, "session_meta", {
    session_id: thread.id,
    id: thread.id,
    timestamp: new Date(thread.at).toISOString(),
    cwd: thread.cwd ?? "/srv/app",
    originator: "codex_exec",
    cli_version: "0.169.0",
    source: thread.source ?? "exec",
    thread_source: "user",
    model_provider: thread.provider ?? "openai",
    history_mode: thread.history ?? "paginated",
    base_instructions: { text: "You are a coding agent. ".repeat(40) },
    git: thread.git ?? {},
  });
}

/** The lines Codex writes for a thread of one or more turns. */
export function rolloutText(thread: Thread): string {
  const text = thread.text ?? `Work on thread ${thread.id.slice(-4)}`;
  const lines = [metaLine(thread)];
  const add = (type: string, payload: unknown): void => void lines.push(line(thread.at + lines.length, lines.length, type, payload));
  for (let turn = 0; turn <= (thread.turns ?? 0); turn += 1) {
    const said = turn === 0 ? text : `${text}, again (${turn})`;
    add("event_msg", { type: "task_started", turn_id: `turn-${turn}` });
    add("response_item", { type: "message", role: "user", content: [{ type: "input_text", text: "<environment_context>not what the user said</environment_context>" }] });
    add("turn_context", { turn_id: `turn-${turn}`, cwd: thread.cwd ?? "/srv/app", approval_policy: "never", model: "gpt-test", effort: "high", sandbox_policy: { type: "read-only" } });
    if ((thread.history ?? "paginated") === "legacy") add("event_msg", { type: "user_message", message: said, images: [] });
    else add("event_msg", { type: "item_completed", thread_id: thread.id, item: { type: "UserMessage", id: "m", content: [{ type: "text", text: said }] } });
    add("response_item", { type: "function_call_output", output: "some output of a tool ".repeat(20) });
    add("event_msg", { type: "token_count", info: { total_token_usage: { total_tokens: (thread.tokens ?? 100) - (thread.turns ?? 0) + turn } } });
    add("event_msg", { type: "task_complete", turn_id: `turn-${turn}` });
  }
  return lines.join("");
}

/** Writes a thread's rollout; `path` below the home unless it stands in its day. Returns the whole path. */
export function writeRollout(home: string, thread: Thread, options: { path?: string; zst?: boolean; text?: string } = {}): string {
  const path = `${join(home, options.path ?? join("sessions", dayPath(thread)))}${options.zst === true ? ".zst" : ""}`;
  mkdirSync(dirname(path), { recursive: true });
  const text = options.text ?? rolloutText(thread);
  writeFileSync(path, options.zst === true ? zstdCompressSync(Buffer.from(text)) : text);
  return path;
}

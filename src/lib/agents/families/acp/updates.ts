import { asString, isObject } from "../../../core/index.ts";
import { messageText } from "./content.ts";
import { QUIET_MS, promptAnswered } from "./outcome.ts";
import { TIMER, type Turn, emit } from "./state.ts";
import { onToolCall } from "./tool-calls.ts";
import { addCumulative, addStep } from "./usage.ts";

type Update = Readonly<Record<string, unknown>>;

/**
 * A `session/update`. Until the prompt was sent everything is the replay of a loaded conversation, and dropped
 * (real-agents.md 3, finding 25); so is what belongs to another session.
 */
export function onUpdate(turn: Turn, params: unknown): void {
  if (turn.s.phase !== "prompt" && turn.s.phase !== "settling") return;
  if (!isObject(params)) return;
  const session = asString(params.sessionId);
  if (session !== "" && session !== turn.s.sessionId) return;
  const found = findUpdate(params.update);
  if (found === null) return;
  handle(turn, found.name, found.update);
  if (turn.s.phase === "settling") turn.effects.push({ type: "setTimer", id: TIMER.quiet, ms: QUIET_MS });
}

function handle(turn: Turn, name: string, update: Update): void {
  switch (name) {
    case "agentmessagechunk":
      return onText(turn, update);
    case "agentthoughtchunk":
      return onThought(turn, update);
    case "toolcall":
    case "toolcallupdate":
      closeText(turn);
      return onToolCall(turn, update);
    case "usageupdate":
      turn.s.usage = addCumulative(turn.s.usage, update.usage);
      return;
    case "turnend":
    case "endturn":
      return promptAnswered(turn, update);
  }
}

/** Names come as a member, or as the only key of a wrapper, in several spellings. */
function findUpdate(raw: unknown): { name: string; update: Update } | null {
  if (!isObject(raw)) return null;
  const named = asString(raw.sessionUpdate) || asString(raw.type);
  if (named !== "") return { name: plain(named), update: raw };
  const [key, ...others] = Object.keys(raw);
  const inner = key === undefined ? undefined : raw[key];
  return key !== undefined && others.length === 0 && isObject(inner) ? { name: plain(key), update: inner } : null;
}

function plain(name: string): string {
  return name.replace(/[_-]/g, "").toLowerCase();
}

function onText(turn: Turn, update: Update): void {
  if (isObject(update._meta)) turn.s.usage = addStep(turn.s.usage, update._meta.usage);
  const text = messageText(update.content);
  if (text === "") return;
  const id = asString(update.messageId);
  const apart = turn.s.lastKind === "text" && id !== "" && id !== turn.s.lastMessageId;
  if (apart) closeText(turn);
  turn.s.lastMessageId = id;
  turn.s.text += text;
  turn.s.lastChunk = text;
  emit(turn, { kind: "text", content: apart ? `\n\n${text}` : text });
}

function onThought(turn: Turn, update: Update): void {
  const text = messageText(update.content);
  if (text === "") return;
  closeText(turn);
  emit(turn, { kind: "thinking", content: text });
}

/** What follows is another message: the answer of a run is its last one. */
function closeText(turn: Turn): void {
  if (turn.s.text.trim() !== "") turn.s.earlierText = turn.s.text;
  turn.s.text = "";
}

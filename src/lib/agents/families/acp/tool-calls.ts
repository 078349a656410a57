import { asString, isObject, parseJson } from "../../../core/index.ts";
import { contentText } from "./content.ts";
import { type ToolCall, type Turn, emit } from "./state.ts";
import { toolName } from "./tool-names.ts";

type Update = Readonly<Record<string, unknown>>;

const EMPTY: ToolCall = { kind: "", title: "", announced: false, text: "" };
/** Where agents put a command's output when they report a structure. */
const OUTPUT_MEMBERS = ["formatted_output", "aggregated_output", "output", "content", "text", "stdout"];
const ENDED = new Set(["completed", "failed"]);

/**
 * `tool_call` and `tool_call_update`. Agents disagree on when arguments are known: some send the call twice, some begin
 * with an empty input, some never send one. A use is announced as soon as its arguments are there, at the latest with
 * its result, and exactly once (agents.md 15.3).
 */
export function onToolCall(turn: Turn, update: Update): void {
  const id = asString(update.toolCallId);
  if (id === "") return;
  const call = remember(turn, id, update);
  const input = knownInput(update);
  if (!call.announced && input !== undefined) announce(turn, id, input);
  if (ENDED.has(asString(update.status))) conclude(turn, id, update);
}

/** What a permission request says about its call: often before the call itself is reported. */
export function noteCall(turn: Turn, toolCall: unknown): void {
  if (isObject(toolCall) && asString(toolCall.toolCallId) !== "") remember(turn, asString(toolCall.toolCallId), toolCall);
}

/** Calls that were cut off get an end of their own, so that no reader waits for one. */
export function closeCalls(turn: Turn): void {
  for (const [id, call] of Object.entries(turn.s.calls)) {
    if (!call.announced) announce(turn, id, lateInput(call));
    result(turn, id, call.announced ? call.text : "", "unfinished");
  }
}

function remember(turn: Turn, id: string, update: Update): ToolCall {
  const before = turn.s.calls[id] ?? EMPTY;
  const text = contentText(update.content);
  const call: ToolCall = {
    kind: asString(update.kind) || before.kind,
    title: asString(update.title) || asString(update.name) || before.title,
    announced: before.announced,
    text: text === "" ? before.text : text,
  };
  turn.s.calls = { ...turn.s.calls, [id]: call };
  return call;
}

function announce(turn: Turn, id: string, input: Update | undefined): void {
  const call = turn.s.calls[id] ?? EMPTY;
  // What was read so far belonged to the arguments; from here on content is output.
  turn.s.calls = { ...turn.s.calls, [id]: { ...call, announced: true, text: "" } };
  const tool = toolName(call.kind, call.title);
  emit(turn, input === undefined ? { kind: "tool_use", tool, callId: id } : { kind: "tool_use", tool, callId: id, input });
}

function conclude(turn: Turn, id: string, update: Update): void {
  const call = turn.s.calls[id] ?? EMPTY;
  // The text of a call that was never announced was its arguments, and only the last update's is output.
  if (!call.announced) announce(turn, id, lateInput(call));
  result(turn, id, outputOf(update) ?? (call.announced ? call.text : ""), asString(update.status));
}

function result(turn: Turn, id: string, output: string, status: string): void {
  const call = turn.s.calls[id] ?? EMPTY;
  const { [id]: _ended, ...open } = turn.s.calls;
  turn.s.calls = open;
  emit(turn, { kind: "tool_result", tool: toolName(call.kind, call.title), callId: id, output, status });
}

/** Arguments that say something: an empty object, or nothing but the directory, is a placeholder of a call to come. */
function knownInput(update: Update): Update | undefined {
  const input = [update.rawInput, update.input, update.parameters].find(isObject);
  if (input === undefined) return undefined;
  return Object.keys(input).some((key) => key !== "cwd") ? input : undefined;
}

function lateInput(call: ToolCall): Update | undefined {
  const title = call.title === "" ? {} : { title: call.title };
  if (call.text === "") return call.title === "" ? undefined : title;
  const parsed: unknown = parseJson(call.text);
  return isObject(parsed) ? parsed : { ...title, text: call.text };
}

/** A plain string first; then the readable blocks; a structured raw output only when there is nothing to read. */
function outputOf(update: Update): string | undefined {
  const raw = update.rawOutput ?? update.output;
  if (typeof raw === "string") return raw;
  const text = contentText(update.content);
  if (text !== "") return text;
  const named = isObject(raw) ? OUTPUT_MEMBERS.map((name) => raw[name]).find((value) => typeof value === "string") : undefined;
  if (typeof named === "string") return named;
  return raw === undefined || raw === null ? undefined : JSON.stringify(raw);
}

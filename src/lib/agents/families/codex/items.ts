import { asNumber, asString, isObject, redactText, redactValue, type JsonValue } from "../../../core/index.ts";
import { changesHeadline, changesInput } from "./changes.ts";
import { closeCall, openCall } from "./calls.ts";
import { type Turn, emit } from "./state.ts";

type Item = Readonly<Record<string, unknown>>;
type Moment = "started" | "completed";

/** An item of a turn as messages; kinds nobody reads are activity only (agents.md 14.7). */
export function onItem(turn: Turn, moment: Moment, item: Item): void {
  switch (asString(item.type)) {
    case "agentMessage":
      if (moment === "completed") agentText(turn, asString(item.text), asString(item.phase));
      return;
    case "reasoning":
      if (moment === "completed") thinking(turn, reasoningText(item));
      return;
    case "commandExecution":
      return commandItem(turn, moment, item);
    case "fileChange":
      return fileItem(turn, moment, item);
    case "mcpToolCall":
      return mcpItem(turn, moment, item);
  }
}

export function agentText(turn: Turn, text: string, phase: string): void {
  if (text === "") return;
  emit(turn, { kind: "text", content: text });
  turn.s.lastText = text;
  if (phase === "final_answer") turn.s.finalAnswer = text;
}

export function thinking(turn: Turn, text: string): void {
  if (text !== "") emit(turn, { kind: "thinking", content: text });
}

function reasoningText(item: Item): string {
  const parts = (value: unknown): string[] => (Array.isArray(value) ? value.filter((part): part is string => typeof part === "string") : []);
  const summary = parts(item.summary);
  return (summary.length > 0 ? summary : parts(item.content)).join("\n\n");
}

function commandItem(turn: Turn, moment: Moment, item: Item): void {
  const input = { command: asString(item.command) };
  const callId = asString(item.id);
  if (moment === "started") return openCall(turn, "exec_command", callId, input);
  closeCall(turn, { tool: "exec_command", callId, input, output: asString(item.aggregatedOutput), status: wireStatus(item) });
}

function fileItem(turn: Turn, moment: Moment, item: Item): void {
  const input = changesInput(item.changes);
  const callId = asString(item.id);
  if (moment === "started") return openCall(turn, "patch_apply", callId, input);
  const status = wireStatus(item);
  closeCall(turn, { tool: "patch_apply", callId, input, output: changesHeadline(status, item.changes), status });
}

/** Never the result's content: it may hold whatever a foreign server returned. */
function mcpItem(turn: Turn, moment: Moment, item: Item): void {
  const tool = asString(item.tool) || "mcp_tool";
  const callId = asString(item.id);
  const server = asString(item.server);
  const input = {
    ...(server === "" ? {} : { server }),
    ...(isObject(item.arguments) ? { arguments: redactValue(item.arguments as JsonValue) } : {}),
  };
  if (moment === "started") return openCall(turn, tool, callId, input);
  const status = wireStatus(item) || "completed";
  const duration = asNumber(item.durationMs) ?? 0;
  const error = isObject(item.error) ? asString(item.error.message) : asString(item.error);
  const lines = [status, ...(duration > 0 ? [`duration: ${duration} ms`] : []), ...(error === "" ? [] : [`error: ${redactText(error)}`])];
  closeCall(turn, { tool, callId, input, output: lines.join("\n"), status });
}

function wireStatus(item: Item): string {
  const status = asString(item.status);
  return status === "inProgress" ? "in_progress" : status;
}

import { emit, type Turn } from "./state.ts";

const PARTIAL_LIMIT = 64 * 1024;

/** A tool call begins; one that began already is not announced again. */
export function openCall(turn: Turn, tool: string, callId: string, input: Record<string, unknown> | undefined): void {
  if (callId === "" || turn.s.openCalls[callId] !== undefined) return;
  turn.s.openCalls = { ...turn.s.openCalls, [callId]: { tool, partial: "" } };
  emit(turn, input === undefined ? { kind: "tool_use", tool, callId } : { kind: "tool_use", tool, callId, input });
}

/** A tool call ended; one that never began (a declined command of 0.100.0) is announced first. */
export function closeCall(
  turn: Turn,
  call: { tool: string; callId: string; input: Record<string, unknown> | undefined; output: string; status: string },
): void {
  if (call.callId === "") return;
  openCall(turn, call.tool, call.callId, call.input);
  const { [call.callId]: _closed, ...open } = turn.s.openCalls;
  turn.s.openCalls = open;
  emit(turn, {
    kind: "tool_result",
    tool: call.tool,
    callId: call.callId,
    output: call.output,
    ...(call.status === "" ? {} : { status: call.status }),
  });
}

/** Output that a running command prints: kept for the case that its end is never reported. */
export function growCall(turn: Turn, callId: string, delta: string): void {
  const call = turn.s.openCalls[callId];
  if (call === undefined || call.partial.length >= PARTIAL_LIMIT) return;
  const partial = (call.partial + delta).slice(0, PARTIAL_LIMIT);
  turn.s.openCalls = { ...turn.s.openCalls, [callId]: { ...call, partial } };
}

/** A command still running at the end of a turn never gets its end reported (real-agents.md 3, finding 14). */
export function closeOpenCalls(turn: Turn): void {
  for (const [callId, call] of Object.entries(turn.s.openCalls)) {
    turn.effects.push({
      type: "message",
      message: { kind: "tool_result", tool: call.tool, callId, output: call.partial, status: "unfinished" },
    });
  }
  turn.s.openCalls = {};
}
